// Reads the project as plain data, path → text: what is checked in or could be. Judges nothing.
import { readdirSync, readFileSync } from 'node:fs'
import { matchesGlob } from 'node:path'

/** Paths from the root, with `/`. A picture has no text: its own is empty. */
export type Tree = ReadonlyMap<string, string>

/** Lines of a .gitignore as globs: `name/` is a folder anywhere, a line that begins with `/` starts at the root. */
function readIgnored(text: string): (path: string) => boolean {
  const globs = text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => (line.startsWith('/') ? line.slice(1) : `**/${line}`).replace(/\/$/, ''))
  return path => globs.some(glob => matchesGlob(path, glob))
}

/** Every file under `root` that git would keep; those with a NUL byte are pictures and the like. */
export function readTree(root: string): Tree {
  const ignored = readIgnored(readFileSync(`${root}/.gitignore`, 'utf8'))
  const tree = new Map<string, string>()
  const walk = (folder: string) => {
    for (const entry of readdirSync(`${root}/${folder}`, { withFileTypes: true })) {
      const path = `${folder}${entry.name}`
      if (path === '.git' || ignored(path)) continue
      if (entry.isDirectory()) walk(`${path}/`)
      if (!entry.isFile()) continue
      const text = readFileSync(`${root}/${path}`, 'utf8')
      tree.set(path, text.includes('\0') ? '' : text)
    }
  }
  walk('')
  return tree
}

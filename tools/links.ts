// Whether what the manual points at is there. Follows links between files, and paths in backticks that begin in a folder of
// ours; asks no other host.
import { posix } from 'node:path'
import type { Tree } from './tree.ts'

const folders = /^(server|client|verify|pages|examples|bench|tools|docs)\/[\w./-]*$/

/** What a page points at: links as they stand from the page, backticked paths from the root. */
function targets(path: string, text: string): readonly string[] {
  const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
    .map(([, link]) => link ?? '')
    .filter(link => !/^[a-z]+:/.test(link))
    .map(link => posix.join(posix.dirname(path), link))
  const quoted = [...text.matchAll(/`([^`\s]+)`/g)]
    .map(([, code]) => code ?? '')
    .filter(code => folders.test(code))
  return [...links, ...quoted]
}

/** Links and paths on our pages that lead nowhere, as `page → path`. A build makes `server/dist`. */
export function deadLinks(tree: Tree, made: readonly string[] = ['server/dist']): readonly string[] {
  const paths = [...tree.keys()]
  const exists = (to: string): boolean => {
    const bare = to.replace(/\/$/, '')
    return tree.has(bare) || paths.some(path => path.startsWith(`${bare}/`)) || made.includes(bare)
  }
  return [...tree]
    .filter(([path]) => path.endsWith('.md'))
    .flatMap(([path, text]) =>
      targets(path, text)
        .filter(to => !exists(to))
        .map(to => `${path} → ${to}`),
    )
}

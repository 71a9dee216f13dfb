// Whether what the manual and the comments point at is there: files and folders of ours, and the tests that a page names or
// tells people to run. Asks no other host, and runs nothing.
import { posix } from 'node:path'
import type { Tree } from './tree.ts'

const folders = /^(server|client|verify|examples|bench|proof|tools|docs)\/[\w./-]*$/

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

/** Whether a file or folder of that name is there, or will be: a build makes `server/dist`. */
function openExists(tree: Tree, made: readonly string[]): (to: string) => boolean {
  const paths = [...tree.keys()]
  return to => {
    const bare = to.replace(/\/$/, '')
    return tree.has(bare) || paths.some(path => path.startsWith(`${bare}/`)) || made.includes(bare)
  }
}

/** Links and paths on our pages that lead nowhere, as `page → path`. */
export function deadLinks(
  tree: Tree,
  made: readonly string[] = ['verify/dist', 'server/dist', 'client/dist'],
): readonly string[] {
  const exists = openExists(tree, made)
  return [...tree]
    .filter(([path]) => path.endsWith('.md'))
    .flatMap(([path, text]) =>
      targets(path, text)
        .filter(to => !exists(to))
        .map(to => `${path} → ${to}`),
    )
}

const comment = /^\s*(?:\/\/|\/?\*)/

/** Sources and pages as comments name them, and folders and files under one of ours. No address, no module of a package. */
const named =
  /(?<![\w./@:*-])(?:[\w-]+\/)*[\w-]+(?:\.test)?\.(?:ts|md)\b|(?<![\w./@:*-])(?:server|docs|proof|tools)\/[\w./-]*[\w/]/g

/** A comment names a file from the root, from the sources of its package, or from its own folder. */
function places(path: string, to: string): readonly string[] {
  const sources = /^[\w-]+\/src\//.exec(path)?.[0] ?? 'server/src/'
  return [to, posix.join(sources, to), posix.join(posix.dirname(path), to)]
}

/** Files that comments in sources name and that are nowhere, as `source:line → name`. */
export function deadNames(
  tree: Tree,
  made: readonly string[] = ['verify/dist', 'server/dist', 'client/dist'],
): readonly string[] {
  const exists = openExists(tree, made)
  return [...tree]
    .filter(([path]) => path.endsWith('.ts'))
    .flatMap(([path, text]) =>
      text.split('\n').flatMap((line, index) =>
        (comment.test(line) ? [...line.matchAll(named)] : [])
          .map(([to]) => to)
          .filter(to => !places(path, to).some(exists))
          .map(to => `${path}:${index + 1} → ${to}`),
      ),
    )
}

/** What is wrong with `races --test-name-pattern=refresh`: words that are in no test file's path, a pattern that is in none of these. */
function lostIn(words: readonly string[], tests: readonly (readonly [string, string])[]): readonly string[] {
  const pattern = words.find(word => word.startsWith('-'))
  const places = words.filter(word => word !== pattern)
  const met = tests.filter(([path]) => places.some(word => path.includes(word)))
  const named = pattern?.replace('--test-name-pattern=', '') ?? ''
  return [
    ...places.filter(word => !tests.some(([path]) => path.includes(word))),
    ...(pattern !== undefined && !met.some(([, text]) => text.includes(named)) ? [pattern] : []),
  ]
}

/** `npm test -- WORDS` on a page, when it runs less than it says. */
export function deadTests(tree: Tree): readonly string[] {
  const tests = [...tree].filter(([path]) => path.endsWith('.test.ts'))
  return [...tree]
    .filter(([path]) => path.endsWith('.md'))
    .flatMap(([path, text]) =>
      [...text.matchAll(/`npm test -- ([^`]+)`/g)]
        .flatMap(([, words = '']) => lostIn(words.split(' '), tests))
        .map(word => `${path} → npm test -- ${word}`),
    )
}

/** Tests that a line of a page names “so”, beside the file they are said to stand in, and that do not stand there. */
export function deadQuotes(tree: Tree): readonly string[] {
  const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.includes('/test/')
  return [...tree]
    .filter(([path]) => path.endsWith('.md'))
    .flatMap(([path, page]) =>
      page.split('\n').flatMap(line => {
        const files = targets(path, line).filter(to => to.endsWith('.ts') && isTest(to))
        return [...line.matchAll(/“([^”]+)”/g)]
          .map(([, name = '']) => name)
          .filter(name => files.length > 0 && !files.some(file => tree.get(file)?.includes(name)))
          .map(name => `${path} → ${name}`)
      }),
    )
}

// What no file may be called and no file may say. Knows no syntax beyond what a regular expression sees.
import type { Tree } from './tree.ts'

const source = (path: string): boolean => /^[\w-]+\/src\/.*(?<!\.test)\.ts$/.test(path)

/** A thing without a home has no name yet: files and folders called after nothing. */
export const drawers = (tree: Tree): readonly string[] =>
  [...tree.keys()].filter(path => /(^|\/)(utils?|helpers?|shared|common|lib|misc)(\.\w+)*(\/|$)/.test(path))

/** Sources that do not open by saying, in one to three lines, what they own and what they refuse to know. */
export const silentFiles = (tree: Tree): readonly string[] =>
  [...tree]
    .filter(([path]) => source(path) || (path.startsWith('tools/') && path.endsWith('.ts')))
    .filter(([, text]) => !/^(\/\/ .*\n){1,3}(?!\/\/)/.test(text))
    .map(([path]) => path)

const impure =
  /\basync\b|\bawait\b|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bprocess\b|\bcrypto\b|\bfetch\(/g

/** core/ decides: what comes out depends on what goes in, and on nothing else. */
export function impureCore(tree: Tree): readonly string[] {
  return [...tree]
    .filter(([path]) => path.startsWith('server/src/core/') && source(path))
    .flatMap(([path, text]) => {
      const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$|'[^'\n]*'/gm, '')
      return [...code.matchAll(impure)].map(([word]) => `${path} uses ${word}`)
    })
}

const vague =
  /^export (?:async )?(?:function|const|class|type|interface) (\w*(?:Manager|Service|Handler|Helper|Util|Utils|Provider|Impl|DTO))\b/gm

/** What React calls a component that puts a value into a context. */
const ofReact = ['RuskProvider']

/** Exported names that say that a thing does something, and not what it is. */
export const vagueNames = (tree: Tree): readonly string[] =>
  [...tree]
    .filter(([path]) => source(path))
    .flatMap(([path, text]) =>
      [...text.matchAll(vague)]
        .map(([, name = '']) => name)
        .filter(name => !ofReact.includes(name))
        .map(name => `${path} exports ${name}`),
    )

/** Brackets keep the patterns from finding themselves. */
const unsaid: Readonly<Record<string, RegExp>> = {
  'a path of one machine': /(?<![\w.}:-])[/](work|root|tmp|home)[/]/,
  'the host of a registry': /registry[.](npmjs|yarnpkg)/,
  'a placeholder': /^\s*[A-Z][A-Z_]{3,}\s*$/,
  'something left to do': /\b(TO[D]O|FIX[M]E|HA[C]K)\b/,
  'a silenced compiler': /@ts-([i]gnore|[n]ocheck)/,
  'a test that does not run':
    /\b(test|it|describe|suite)[.](skip|only|todo)\b|\bt[.](skip|todo)\(|\{ (skip|todo|only): (true|['`])/,
}

/** Lines that tell of the place where they were written, or of work that was not done. */
export const unsaidWords = (tree: Tree): readonly string[] =>
  [...tree].flatMap(([path, text]) =>
    text.split('\n').flatMap((line, index) =>
      Object.entries(unsaid)
        .filter(([, pattern]) => pattern.test(line))
        .map(([what]) => `${path}:${index + 1} has ${what}`),
    ),
  )

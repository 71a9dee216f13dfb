// Which passwords everybody tries first: a list of leaked ones, their usual decorations, and mere patterns. Knows nothing
// of the person; that a password contains somebody's name is judged elsewhere.

/** About 49 000 entries in 5 MB, read at the first question: neither start nor an idle server pays for them. */
let list: Promise<ReadonlySet<string>> | undefined

async function readList(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(dictionary['passwords-common'].map(String))
}

/** What people put behind a word when a rule asks for more: signs, a number or a year, signs. */
const decoration = /^[!-/:-@[-`{-~]{0,2}[0-9]{0,4}[!-/:-@[-`{-~]{0,2}$/
const longestDecoration = 8
const shortestWord = 3

/** Letters by their look-alikes; `1` is an i in one spelling and an l in the other. */
const lookAlikes = { '0': 'o', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's', '!': 'i' } as const
const spellings = [
  { ...lookAlikes, '1': 'i' },
  { ...lookAlikes, '1': 'l' },
].map(letters => new Map(Object.entries(letters)))

const spelt = (word: string): readonly string[] => [
  word,
  ...spellings.map(letters => [...word].map(sign => letters.get(sign) ?? sign).join('')),
]

/** `aaaaaaaa`, `abcabcabc`, `12345678`, `hgfedcba`. */
function isPattern(password: string): boolean {
  if (/^(.{1,4})\1+$/su.test(password)) return true
  const steps = [...password].map(
    (sign, at, all) => Number(sign.codePointAt(0)) - Number(all[at - 1]?.codePointAt(0)),
  )
  return steps.length > 2 && Math.abs(steps[1] ?? 0) === 1 && steps.slice(1).every(step => step === steps[1])
}

/** The password without each decoration that it may end in, the whole one first. */
function* words(password: string): Generator<string> {
  const shortest = Math.max(shortestWord, password.length - longestDecoration)
  for (let end = password.length; end >= shortest; end--) {
    if (decoration.test(password.slice(end))) yield password.slice(0, end)
  }
}

/**
 * Whether it is among the first that a guesser tries: a leaked password in any case, also with a trailing number, year
 * or signs, also with look-alike letters; a repetition; a run. Of whatever length.
 */
export async function isCommonPassword(password: string): Promise<boolean> {
  list ??= readList()
  const known = await list
  const lower = password.toLowerCase()
  if (isPattern(lower)) return true
  return words(lower).some(word => spelt(word).some(each => known.has(each)))
}

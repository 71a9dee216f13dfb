// The texts of a call that may say who calls: the Cookie header (RFC 6265bis §5.8.3) and the bearer token (RFC 6750). Reads
// them as they are; what is authentic others find out.

/** RFC 6750 §2.1; the scheme in any case (RFC 9110 §11.1), exactly one space. */
const bearerForm = /^bearer ([A-Za-z0-9._~+/-]+=*)$/i

/** The token; null: the header is there and is no bearer token; undefined: there is none. */
export function readBearer(header: string | undefined): string | null | undefined {
  if (header === undefined) return undefined
  return bearerForm.exec(header)?.[1] ?? null
}

const space = 0x20
const tab = 0x09
const equals = 0x3d

/**
 * Every value that each of `names` has in a Cookie header, in the order of sending. Pairs are parted by `;` alone; space and
 * tab around a pair are not part of it. Names are compared byte for byte and nothing is unquoted or decoded. Linear.
 */
export function readCookies(header: string | undefined, names: readonly string[]): readonly string[][] {
  const values: string[][] = names.map(() => [])
  if (header === undefined) return values
  for (let start = 0; start < header.length; ) {
    const semicolon = header.indexOf(';', start)
    const next = semicolon === -1 ? header.length : semicolon
    let from = start
    while (from < next && (header.charCodeAt(from) === space || header.charCodeAt(from) === tab)) from++
    for (const [index, name] of names.entries()) {
      if (header.charCodeAt(from + name.length) !== equals || !header.startsWith(name, from)) continue
      let to = next
      const first = from + name.length + 1
      while (to > first && (header.charCodeAt(to - 1) === space || header.charCodeAt(to - 1) === tab)) to--
      if (first <= next) values[index]?.push(header.slice(first, to))
      break
    }
    start = next + 1
  }
  return values
}

// What a preflight asks for (CORS, Fetch §3.3): read in linear time, granted as a whole or not at all.

/** All names together, in characters. */
const longestHeaderList = 2048

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** The names as they were asked for, if each is a token (RFC 9110 §5.6.2); undefined: grant nothing. Linear. */
export function readRequestedHeaders(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return ''
  if (text.length > longestHeaderList) return undefined
  const names = text.split(',').map(name => name.trim())
  return names.every(name => token.test(name)) ? names.join(', ') : undefined
}

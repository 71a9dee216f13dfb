// Where somebody may be sent after a page: a path of this host, or an address whose origin is listed. Pure; sends nobody.

export type Return = { readonly to: string } | { readonly why: string }

/** Far beyond any address of a front end. */
const longest = 2000

const whole = /^https?:\/\/[^/?#\\]/i

/** C0, space and DEL, which URL parsers drop or trim; the backslash, which they take for a slash. */
const hidden = /[\p{Cc}\s\\]/u

const isPath = (text: string): boolean => text.startsWith('/') && !text.startsWith('//')

/**
 * `url`: where browsers reach Rusk; `listed`: exact origins. `to` is ASCII and fit for a Location header: a path as a path, so
 * that it stays on the host that the browser knows, anything else in full. The comparison is of parsed origins
 * (URL Standard §4.7), never of text.
 */
export function readReturn(text: string, url: string, listed: ReadonlySet<string>): Return {
  if (text.length > longest) return { why: 'It is too long.' }
  if (hidden.test(text)) return { why: 'It has characters that an address does not have.' }
  const path = isPath(text)
  if (!path && !whole.test(text)) return { why: 'It is neither a path on this host nor an http address.' }
  if (!URL.canParse(text, url)) return { why: 'It is not an address.' }
  const { protocol, username, password, origin, pathname, search, hash, href } = new URL(text, url)
  if (protocol !== 'https:' && protocol !== 'http:') return { why: 'It is neither http nor https.' }
  if (username !== '' || password !== '') return { why: 'It carries a name or a password.' }
  if (!path) return listed.has(origin) ? { to: href } : { why: `Its origin, ${origin}, is not listed.` }
  // What `..` leaves may begin with two slashes, which a browser reads as another host.
  const to = `${pathname}${search}${hash}`
  return isPath(to) ? { to } : { why: 'It is not a path on this host.' }
}

/** A path of this host with one more field in its query; an address elsewhere as it is. */
export function withField(to: string, name: string, value: string): string {
  if (!isPath(to)) return to
  const { pathname, searchParams, hash } = new URL(to, 'http://localhost')
  searchParams.set(name, value)
  return `${pathname}?${searchParams}${hash}`
}

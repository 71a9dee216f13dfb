// How an origin is spelt: exactly as browsers send it, or not at all; and which hosts are this machine. Which origins may
// call is for others to say.

/** How an origin must be written: `https://app.example.com`, the serialisation that browsers send (RFC 6454 §6.2). */
export type OriginRead = { readonly origin: string } | { readonly wrong: string; readonly instead: string }

/**
 * Whether a host, as `URL` spells it or without brackets, is this machine by whatever resolver: what is sent there over
 * http nobody else hears. Not so `auth.localhost`: browsers ask nobody for it (Secure Contexts §3.1), programs ask DNS.
 */
export const isLoopback = (hostname: string): boolean =>
  /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/.test(hostname)

/** A text of somebody else's in a sentence of ours: short, and quoted as JSON is. */
const quote = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}…` : text)

const parse = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined)

const isWeb = (url: URL | undefined): url is URL => url?.protocol === 'https:' || url?.protocol === 'http:'

/** For a host without its scheme; whatever else it may be, an example. */
function guess(text: string): string {
  const url = text.includes('://') ? undefined : parse(`https://${text}`)
  if (!url) return 'Write scheme, host and port, as https://app.example.com or http://localhost:3000'
  return `Write ${isLoopback(url.hostname) ? 'http' : 'https'}://${url.host}, with the scheme that the browser shows`
}

/** Takes nothing but the exact serialisation; says of anything else what to write. */
export function readOrigin(text: string): OriginRead {
  if (text.includes('*')) {
    return {
      wrong: `${quote(text)} would let pages of any site call with cookies`,
      instead: 'List each origin by itself, as https://app.example.com',
    }
  }
  if (text === 'null') {
    return {
      wrong: 'null is the origin of every sandboxed page and local file',
      instead: 'Serve the page over http and list that origin',
    }
  }
  const url = parse(text)
  if (!isWeb(url)) return { wrong: `${quote(text)} is not an origin`, instead: guess(text) }
  if (url.origin === text) return { origin: text }
  return { wrong: `${quote(text)} is not how browsers write this origin`, instead: `Write ${url.origin}` }
}

// How an origin is spelt: exactly as browsers send it, or not at all. Which origins may call is for others to say.

/** How an origin must be written: `https://app.example.com`, the serialisation that browsers send (RFC 6454 §6.2). */
export type OriginRead = { readonly origin: string } | { readonly wrong: string; readonly instead: string }

const example = 'Write each origin out, as https://app.example.com'

const parse = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined)

const isWeb = (url: URL | undefined): url is URL => url?.protocol === 'https:' || url?.protocol === 'http:'

/** Takes nothing but the exact serialisation; says of anything else what to write. */
export function readOrigin(text: string): OriginRead {
  if (text.includes('*')) return { wrong: `${text} would let every site in`, instead: example }
  if (text === 'null') return { wrong: 'null is the origin of any sandboxed page', instead: example }
  const url = parse(text)
  if (isWeb(url)) {
    return url.origin === text
      ? { origin: text }
      : { wrong: `${text} is not how browsers write an origin`, instead: `Write ${url.origin}` }
  }
  const guess = text.includes('://') ? undefined : parse(`https://${text}`)
  if (guess)
    return { wrong: `${text} has no scheme`, instead: `Write ${guess.origin} or http://${guess.host}` }
  return { wrong: `${text} is not an origin`, instead: example }
}

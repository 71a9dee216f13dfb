// Web standards at the rim: a Request becomes a call, an answer a Response. Decides nothing.
import { randomUUID } from 'node:crypto'
import { type Answer, type Body, type Call, largestBody } from './call.ts'

export type FetchInfo = {
  /** The peer of the socket, where the host knows it. Without it all clients count as one. */
  readonly address?: string | undefined
}

async function readStream(stream: ReadableStream<Uint8Array>): Promise<Body> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stream) {
    length += chunk.length
    if (length > largestBody) return 'too_large'
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function readBody(request: Request): Promise<Body> {
  const announced = Number(request.headers.get('content-length') ?? 0)
  if (announced > largestBody) return 'too_large'
  if (request.body === null) return new Uint8Array()
  try {
    return await readStream(request.body)
  } catch {
    // Whatever broke the stream, there is no body: the call says so.
    return 'cut_short'
  }
}

/** What stands between the host and the query: nothing decoded, nothing normalised beyond what Request did. */
function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  const [path = '/'] = start === -1 ? [] : url.slice(start).split(/[?#]/, 1)
  return path
}

export const readCall = (request: Request, info: FetchInfo = {}): Call => ({
  id: randomUUID(),
  method: request.method,
  path: pathOf(request.url),
  header: name => request.headers.get(name) ?? undefined,
  address: info.address,
  body: () => readBody(request),
})

/** Cookies get a line each: they cannot be folded into one. */
export function writeResponse({ status, headers, cookies, body }: Answer): Response {
  const text = body === '' ? null : body
  if (cookies.length === 0) return new Response(text, { status, headers: { ...headers } })
  const lines = new Headers({ ...headers })
  for (const line of cookies) lines.append('Set-Cookie', line)
  return new Response(text, { status, headers: lines })
}

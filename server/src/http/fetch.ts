// Web standards at the rim: a Request becomes a call, an answer a Response. Decides nothing.
import { randomUUID } from 'node:crypto'
import { type Answer, type Body, type Call, splitTarget } from './call.ts'
import { openGathering } from './gather.ts'

export type FetchInfo = {
  /** The peer of the socket, where the host knows it. Without it all clients count as one. */
  readonly address?: string | undefined
}

/** Whatever breaks the stream, there is no body then: the call says so. What else is thrown is a fault. */
async function readStream(stream: ReadableStream<Uint8Array>, most: number): Promise<Body> {
  const gathering = openGathering(most)
  const reader = stream.getReader()
  for (;;) {
    const piece = await reader.read().catch(() => undefined)
    if (piece === undefined) return 'cut_short'
    if (piece.done) return gathering.bytes()
    if (gathering.add(piece.value)) continue
    // What is refused is not read to its end; nobody waits for whoever sends it to hear of that.
    reader.cancel().catch(() => undefined)
    return 'too_large'
  }
}

async function readBody(request: Request, most: number): Promise<Body> {
  const announced = Number(request.headers.get('content-length') ?? 0)
  if (announced > most) return 'too_large'
  if (request.body === null) return new Uint8Array()
  return readStream(request.body, most)
}

/** What stands behind the host, without a fragment: nothing decoded, nothing normalised beyond what Request did. */
function targetOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  const [target = '/'] = start === -1 ? [] : url.slice(start).split('#', 1)
  return target
}

export const readCall = (request: Request, info: FetchInfo = {}): Call => ({
  id: randomUUID(),
  method: request.method,
  ...splitTarget(targetOf(request.url)),
  header: name => request.headers.get(name) ?? undefined,
  address: info.address,
  body: most => readBody(request, most),
})

/** Cookies get a line each: they cannot be folded into one. */
export function writeResponse({ status, headers, cookies, body }: Answer): Response {
  const content = body.length === 0 ? null : body
  if (cookies.length === 0) return new Response(content, { status, headers: { ...headers } })
  const lines = new Headers({ ...headers })
  for (const line of cookies) lines.append('Set-Cookie', line)
  return new Response(content, { status, headers: lines })
}

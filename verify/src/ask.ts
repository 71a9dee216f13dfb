// Calls to Rusk: bounded in time and size, JSON or nothing, no redirect followed. Says in a sentence what went wrong and
// what to do about it; knows nothing of what the answers mean.
import { readJsonObject } from './strict-json.ts'

/** Keys or ended sessions cannot be had. `message` says of whom what was asked, what came, and what to do. */
export class Unreachable extends Error {
  override name = 'Unreachable'
}

/** Whatever was thrown, for whoever is told of trouble and of nothing else. */
export const asUnreachable = (error: unknown): Unreachable =>
  error instanceof Unreachable ? error : new Unreachable(String(error), { cause: error })

export type Ask = (
  path: string,
  /** Milliseconds until the whole answer must be there. */
  longest?: number,
) => Promise<Readonly<Record<string, unknown>>>

/** Bytes: ten thousand ended sessions are a fourth of it. */
const largest = 1024 * 1024

/** Milliseconds. */
const patience = 5000

const advice: Readonly<Record<number, string>> = {
  401: 'is serviceKey one of RUSK_SERVICE_KEYS there?',
  404: 'is this where Rusk is, and has it RUSK_SERVICE_KEYS?',
}

async function readBody(answer: Response): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.body ?? []) {
    size += chunk.length
    if (size > largest) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** What stands behind `fetch failed`: ECONNREFUSED and its like. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message
  return error.message
}

/** `base`: where Rusk is reached, without a slash at its end. Rejects with `Unreachable`, all at once on `closing`. */
export function openAsk(base: string, serviceKey: string | undefined, closing: AbortSignal): Ask {
  const headers = {
    Accept: 'application/json',
    // The key set may be kept by caches on the way for minutes; whoever asks has kept it long enough.
    'Cache-Control': 'no-cache',
    ...(serviceKey === undefined ? {} : { Authorization: `Bearer ${serviceKey}` }),
  }
  return async (path, longest = patience) => {
    const about = `GET ${base}${path.split('?', 1)[0]}`
    try {
      const answer = await fetch(`${base}${path}`, {
        headers,
        // Where keys come from is configured: nobody on the way says otherwise.
        redirect: 'error',
        signal: AbortSignal.any([closing, AbortSignal.timeout(longest)]),
      })
      if (answer.status !== 200) {
        await answer.body?.cancel()
        const instead = advice[answer.status]
        throw new Unreachable(`${about} answered ${answer.status}${instead ? `: ${instead}` : ''}`)
      }
      const body = await readBody(answer)
      const document = body && readJsonObject(body)
      if (!document) throw new Unreachable(`${about} answered something that is not ours`)
      return document
    } catch (error) {
      if (error instanceof Unreachable) throw error
      throw new Unreachable(`${about} failed: ${causeOf(error)}`, { cause: error })
    }
  }
}

// The lane of the most frequent call, "who am I", answered without a promise when everything about it is remembered.
// Never says no: whatever is unusual goes the long way (handle.ts), and both ways write the same bytes.
import { readBearer } from '@rusk/verify/floor'
import type { Done } from '../operations/contract.ts'
import { answerDone } from './answer.ts'
import type { Answer } from './call.ts'
import type { Route } from './dialect.ts'
import type { Site } from './site.ts'
import { isJsonWay, spellings, type Way } from './way.ts'

/** The same object until something about it changes; undefined: ask the long way. */
export type Recall = (accessText: string, signInText: string | undefined) => Done['whoAmI'] | undefined

export type HotHeaders = {
  readonly cookie?: string | undefined
  readonly authorization?: string | undefined
  readonly origin?: string | undefined
}

export type Hot = (path: string, headers: HotHeaders) => Answer | undefined

type Texts = { readonly access: string; readonly signIn: string | undefined }

/** The one access token of the call, if nothing contradicts it. */
function readTexts({ spoken }: Way, headers: HotHeaders): Texts | undefined {
  const { access, refresh, signIn } = spoken.readJar(headers.cookie)
  if (access.length > 1 || refresh.length > 1 || signIn.length > 1) return undefined
  const bearer = spoken.dialect.bearer ? readBearer(headers.authorization) : undefined
  if (bearer === undefined) {
    const [cookie] = access
    return cookie === undefined ? undefined : { access: cookie, signIn: signIn[0] }
  }
  // The sign-in cookie judges access cookies only.
  return bearer === null || access.length > 0 ? undefined : { access: bearer, signIn: undefined }
}

/** `listed` origins get an answer each; all others share one. */
function openLane(way: Way<Route>, site: Site, recall: Recall): (headers: HotHeaders) => Answer | undefined {
  const written = new WeakMap<object, Map<string | undefined, Answer>>()
  return headers => {
    const texts = readTexts(way, headers)
    const done = texts && recall(texts.access, texts.signIn)
    if (!done) return undefined
    const origin =
      headers.origin !== undefined && way.spoken.listed.has(headers.origin) ? headers.origin : undefined
    const answers = written.get(done) ?? new Map<string | undefined, Answer>()
    written.set(done, answers)
    const answer = answers.get(origin) ?? answerDone(way, site, done, {}, { origin, cookies: false })
    answers.set(origin, answer)
    return answer
  }
}

/** For GET calls without a body. `path` as it came, query included: one with a query is not hot. */
export function openHot(ways: readonly Way[], site: Site, recall: Recall): Hot {
  const lanes = new Map(
    ways
      // A page is another one every time: it has a nonce.
      .filter(isJsonWay)
      .filter(way => way.route.does === 'whoAmI' && way.method === 'GET')
      .flatMap(way => {
        const lane = openLane(way, site, recall)
        return spellings(way.path, way.spoken.dialect.slash).map(path => [path, lane] as const)
      }),
  )
  return (path, headers) => lanes.get(path)?.(headers)
}

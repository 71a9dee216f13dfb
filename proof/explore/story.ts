// Tells a way through the world in sentences, for people who want to see how a promise breaks. Knows the words of
// world.ts and nothing of what they mean.
import { type Broken, promises, type Telling } from './scene.ts'

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** `call A`; what a thief sends has no letter. */
const callOf = (call: number): string =>
  call === 0 ? "the thief's call" : `call ${letters[(call - 1) % 26]}`

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

/** Sessions are counted only where there is more than one. */
type Say = (session: number) => string

const tellings: Readonly<Record<string, (say: Say, ...rest: (string | number)[]) => string>> = {
  composes: (say, call, ask, n, sid) =>
    `The browser composes ${callOf(Number(call))}, a ${ask}, ${Number(n) < 0 ? 'without a refresh cookie' : `with number ${n}${say(Number(sid))}`}.`,
  decides: (say, call, change, n, sid) =>
    `A server reads its clock and decides ${callOf(Number(call))}: number ${n}${say(Number(sid))} is to ${change === 'endSession' ? 'end the session' : 'change the row'}.`,
  commits: (say, call, n, sid, sends) =>
    `${capital(callOf(Number(call)))} commits: number ${n}${say(Number(sid))} has changed the row${Number(sends) < 0 ? '' : `, its answer carries number ${sends}`}.`,
  'answers quietly': (say, call, n, sid, sends) =>
    `${capital(callOf(Number(call)))} is answered while the row is quiet: number ${n}${say(Number(sid))} gets an access token${Number(sends) < 0 ? '' : ` and number ${sends}`}.`,
  'ends as reused': (say, call, n, sid) =>
    `${capital(callOf(Number(call)))} commits: the session${say(Number(sid))} ends as reused because of number ${n}.`,
  refuses: (_, call) => `${capital(callOf(Number(call)))} is refused.`,
  'gives up': (_, call) => `${capital(callOf(Number(call)))} finds nothing left to do.`,
  'signs out': (_, call) => `${capital(callOf(Number(call)))} commits the sign-out.`,
  'signs in': (say, call, sid) =>
    `${capital(callOf(Number(call)))} commits and opens a session${say(Number(sid))}.`,
  arrives: (say, call, clears, n, sid) => {
    const what = Number(n) >= 0 ? `the jar holds number ${n}${say(Number(sid))}` : undefined
    const cleared =
      clears === 'nothing'
        ? undefined
        : `it clears ${clears === 'everything' ? 'every cookie' : 'access and refresh cookie'}`
    return `The answer to ${callOf(Number(call))} arrives: ${what ?? cleared ?? 'it carries an access token'}.`
  },
  'is lost': (_, call, n) =>
    `The answer to ${callOf(Number(call))} is lost${Number(n) < 0 ? '' : `, and number ${n} with it`}.`,
  'ends elsewhere': (say, sid) => `The session${say(Number(sid))} ends for a reason of its own.`,
  'the thief signs out': (say, sid) => `The thief signs out${say(Number(sid))}.`,
}

/** One sentence to a step; ticks that follow each other are one. */
export function tellStory(path: readonly Telling[], broken: Broken): readonly string[] {
  const many = path.some(([did]) => did === 'signs in')
  const say: Say = session => (many ? ` of session ${session}` : '')
  const lines: string[] = []
  let ticks = 0
  const passTime = () => {
    if (ticks > 0) lines.push(`${ticks} tick${ticks === 1 ? '' : 's'} go${ticks === 1 ? 'es' : ''} by.`)
    ticks = 0
  }
  for (const [did, ...rest] of path) {
    if (did === 'time passes') ticks++
    else {
      passTime()
      lines.push(tellings[String(did)]?.(say, ...rest) ?? `${capital(String(did))}.`)
    }
  }
  passTime()
  return [...lines, `Broken: ${broken.promise}, ${promises[broken.promise]}: ${broken.how}.`]
}

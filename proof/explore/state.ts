// What a moment of the world is: rows of the store, one browser's jar, calls and answers under way, a thief's pockets, and
// what is owed to whom. Two moments that can never be told apart are one text. Decides nothing.

/** Number `n` of session `sid`; sessions are counted here, 0 stands for every one that can never act again. */
export type Token = { readonly sid: number; readonly n: number }

export type Row = {
  readonly live: boolean
  readonly previous: number
  readonly current: number
  readonly successor: number
  /** Ticks since `changedAt`; negative when a clock that runs ahead wrote it. */
  readonly age: number
  /** Numbers that another one has replaced for good: promise T2. */
  readonly replaced: readonly number[]
}

export type Cookies = {
  readonly refresh: Token | null
  readonly signIn: Token | null
  /** The session that the access cookie names. */
  readonly access: number | null
}

/** What an answer does to the jar at the moment it arrives. */
export type Sets = Cookies & { readonly clears: 'nothing' | 'tokens' | 'everything' }

/** A guarded change that has been decided and not committed yet. */
export type Wanted = {
  readonly sid: number
  readonly n: number
  /** Null: the session is to end. */
  readonly line: Pick<Row, 'previous' | 'current' | 'successor'> | null
  readonly sends: number | null
  /** By how much the clock that was read ran ahead, as the change itself says. */
  readonly ahead: number
}

export type Ask = 'refresh' | 'sign-out' | 'sign-in' | 'password change'

export type Flight = {
  /** Counts calls, for stories; says nothing about the state. */
  readonly call: number
  readonly ask: Ask
  readonly byThief: boolean
  readonly stage: 'sent' | 'decided' | 'answered'
  /** Ticks of this leg: since the call was composed, or since the server read its clock. */
  readonly leg: number
  /** Ticks of the first leg, once it is over: a call that is decided again goes on counting. */
  readonly firstLeg: number
  readonly carries: Cookies
  readonly wanted: Wanted | null
  readonly sets: Sets | null
  /** The answer of a change that was committed after a thief's last copy. */
  readonly fresh: boolean
  /** Nothing has happened since it was composed that could excuse a wrong answer. */
  readonly owed: boolean
}

/** What the browser must find: nothing certain, signed out, or the session of that number. */
export type Wish = 'open' | 'out' | number

export type Thief = {
  readonly copied: boolean
  readonly holds: readonly (Token & { readonly issued: boolean })[]
  /** Refresh cookies made since the copy that the owner's jar has taken, as far as they are counted. */
  readonly taken: number
  /** Changes made by numbers that were issued to the thief, 2 for more. */
  readonly changes: number
}

export type State = {
  /** By `sid`; the first is the dead one. */
  readonly rows: readonly Row[]
  /** A backup: the rows as they were. */
  readonly copy: readonly Row[] | null
  readonly sinceRestore: number
  readonly restores: number
  readonly jar: Cookies
  readonly flights: readonly Flight[]
  readonly thief: Thief
  readonly wish: Wish
  /** Two sign-ins have been under way at once, and something of them may still be. */
  readonly overlap: boolean
  /** Calls composed so far, for stories; says nothing about the state. */
  readonly calls: number
}

export const dead: Row = { live: false, previous: 0, current: 0, successor: 0, age: 0, replaced: [] }
export const noCookies: Cookies = { refresh: null, signIn: null, access: null }

/** Where numbers are told apart: by a row that may still act, now or after a restore. */
const judges = ({ rows, copy }: State, sid: number): readonly Row[] =>
  [rows[sid], copy?.[sid]].filter((row): row is Row => row?.live === true)

type Numbers = Map<number, number>

/** Every token of the state. */
function* tokensOf({ jar, flights, thief }: State): Generator<Token | null> {
  yield jar.refresh
  yield jar.signIn
  for (const { carries, wanted, sets } of flights) {
    yield carries.refresh
    yield carries.signIn
    if (wanted) {
      const { sid, n, line, sends } = wanted
      yield { sid, n }
      if (line) for (const number of [line.previous, line.current, line.successor]) yield { sid, n: number }
      if (sends !== null) yield { sid, n: sends }
    }
    if (sets) {
      yield sets.refresh
      yield sets.signIn
    }
  }
  yield* thief.holds
}

/**
 * Only how numbers compare with a row's own decides, and which come next. Below `previous` they are all one; those between
 * the row's own are one as well, unless `each` is asked for; beyond `successor` their distances stay.
 */
function renumber(used: Set<number>, rows: readonly Row[], each: boolean): Numbers {
  const own = new Set(rows.flatMap(({ previous, current, successor }) => [previous, current, successor]))
  for (const n of own) used.add(n)
  const lowest = Math.min(...own)
  const countedOn = Math.min(...rows.map(row => row.successor))
  const numbers: Numbers = new Map()
  let last: number | undefined
  let next = 0
  for (const n of [...used].sort((a, b) => a - b)) {
    if (n < lowest) {
      numbers.set(n, 0)
      continue
    }
    const among = !each && last !== undefined && n < countedOn && !own.has(n) && !own.has(last)
    if (!among) next += last !== undefined && last >= countedOn ? n - last : 1
    numbers.set(n, next)
    last = n
  }
  return numbers
}

const stages = ['sent', 'decided', 'answered'] as const
const asks: readonly Ask[] = ['refresh', 'sign-out', 'sign-in', 'password change']
const clearings = ['nothing', 'tokens', 'everything'] as const

/** Room below zero for ages, and a mark for what is absent. */
const shift = 8
const none = 0

/**
 * The shortest text of a state; equal for states that differ in nothing that can ever matter. `each`: to a weakened rule
 * even numbers that lie between the same two of the row's own may differ.
 */
export function encode(state: State, each: boolean): string {
  const { rows, copy, jar, flights, thief } = state
  const used = rows.map(() => new Set<number>())
  const referred = new Set<number>()
  for (const token of tokensOf(state)) {
    if (!token) continue
    referred.add(token.sid)
    used[token.sid]?.add(token.n)
  }
  for (const { access } of [jar, ...flights.flatMap(each => [each.carries, each.sets ?? noCookies])]) {
    if (access !== null) referred.add(access)
  }
  if (typeof state.wish === 'number') referred.add(state.wish)

  const sids: number[] = [0]
  const numbers: Numbers[] = [new Map()]
  const order: number[] = []
  for (let sid = 1; sid < rows.length; sid++) {
    const able = judges(state, sid)
    sids.push(able.length > 0 && referred.has(sid) ? order.push(sid) : 0)
    numbers.push(able.length > 0 ? renumber(used[sid] ?? new Set(), able, each) : new Map())
  }

  const out: number[] = []
  const put = (value: number) => out.push(value + shift)
  const putSid = (sid: number | null) => put(sid === null ? -1 : (sids[sid] ?? 0))
  const putNumber = (sid: number, n: number) => put(sids[sid] === 0 ? 0 : (numbers[sid]?.get(n) ?? 0))
  const putToken = (token: Token | null) => {
    putSid(token ? token.sid : null)
    put(token ? (sids[token.sid] === 0 ? 0 : (numbers[token.sid]?.get(token.n) ?? 0)) : 0)
  }
  const putCookies = ({ refresh, signIn, access }: Cookies) => {
    putToken(refresh)
    putToken(signIn)
    putSid(access)
  }
  const isDead = (sid: number | undefined) => sid !== undefined && sids[sid] === 0
  /** What a browser holds or sends: a cookie of a session that can never act again is none. */
  const putHeld = ({ refresh, signIn, access }: Cookies) =>
    putCookies({
      refresh: isDead(refresh?.sid) && !each ? null : refresh,
      signIn: isDead(signIn?.sid) && !each ? null : signIn,
      access: isDead(access ?? undefined) && !each ? null : access,
    })

  const putRow = (sid: number, row: Row | undefined) => {
    put(row?.live ? 1 : 0)
    if (!row?.live) return
    putNumber(sid, row.previous)
    putNumber(sid, row.current)
    putNumber(sid, row.successor)
    put(row.age)
    const known = row.replaced.map(n => numbers[sid]?.get(n)).filter(n => n !== undefined && n > 0)
    const kept = [...new Set(known)]
    put(kept.length)
    for (const n of kept.sort()) put(n ?? none)
  }

  put(order.length)
  for (const sid of order) putRow(sid, rows[sid])
  put(copy ? 1 : 0)
  if (copy) for (const sid of order) putRow(sid, copy[sid])
  put(state.sinceRestore)
  put(state.restores)
  put(state.wish === 'open' ? -2 : state.wish === 'out' ? -1 : (sids[state.wish] ?? 0))
  put(state.overlap ? 1 : 0)
  putHeld(jar)
  put(thief.copied ? 1 : 0)
  put(thief.taken)
  put(thief.changes)
  const holds = new Map(
    thief.holds.flatMap(({ sid, n, issued }) => {
      const number = sids[sid] === 0 ? 0 : (numbers[sid]?.get(n) ?? 0)
      const mine = [sids[sid] ?? 0, number, issued ? 1 : 0]
      return sids[sid] === 0 ? [] : [[mine.join(), mine]]
    }),
  )
  put(holds.size)
  for (const [, mine] of [...holds].sort(([a], [b]) => (a < b ? -1 : 1))) for (const value of mine) put(value)
  const head = String.fromCharCode(...out)

  const texts = flights.map(each => {
    out.length = 0
    put(asks.indexOf(each.ask))
    put(stages.indexOf(each.stage))
    put(each.byThief ? 1 : 0)
    put(each.leg)
    put(each.firstLeg)
    put((each.owed ? 1 : 0) + (each.fresh ? 2 : 0))
    putHeld(each.carries)
    const { wanted, sets } = each
    put(wanted ? (wanted.line ? 2 : 1) : 0)
    if (wanted) {
      putSid(wanted.sid)
      putNumber(wanted.sid, wanted.n)
      put(wanted.ahead)
      put(wanted.sends === null ? 0 : 1)
      putNumber(wanted.sid, wanted.sends ?? -1)
      for (const n of wanted.line ? [wanted.line.previous, wanted.line.current, wanted.line.successor] : []) {
        putNumber(wanted.sid, n)
      }
    }
    put(sets ? 1 + clearings.indexOf(sets.clears) : 0)
    if (sets) putCookies(sets)
    return String.fromCharCode(...out)
  })
  return head + texts.sort().join('')
}

/** The state that such a text stands for. */
export function decode(text: string): State {
  let at = 0
  const take = () => text.charCodeAt(at++) - shift
  const takeFlag = () => take() === 1
  const takeSid = () => {
    const sid = take()
    return sid === -1 ? null : sid
  }
  const takeToken = (): Token | null => {
    const sid = takeSid()
    const n = take()
    return sid === null ? null : { sid, n }
  }
  const takeCookies = (): Cookies => ({ refresh: takeToken(), signIn: takeToken(), access: takeSid() })
  const takeRow = (): Row => {
    if (!takeFlag()) return dead
    const [previous, current, successor, age] = [take(), take(), take(), take()]
    return { live: true, previous, current, successor, age, replaced: Array.from({ length: take() }, take) }
  }
  const takeRows = (count: number) => [dead, ...Array.from({ length: count }, takeRow)]

  const count = take()
  const rows = takeRows(count)
  const copy = takeFlag() ? takeRows(count) : null
  const [sinceRestore, restores, wished] = [take(), take(), take()]
  const wish: Wish = wished === -2 ? 'open' : wished === -1 ? 'out' : wished
  const overlap = takeFlag()
  const jar = takeCookies()
  const [copied, taken, changes] = [takeFlag(), take(), take()]
  const holds = Array.from({ length: take() }, () => ({ sid: take(), n: take(), issued: takeFlag() }))

  const flights: Flight[] = []
  while (at < text.length) {
    const ask = asks[take()] ?? 'refresh'
    const stage = stages[take()] ?? 'sent'
    const byThief = takeFlag()
    const [leg, firstLeg] = [take(), take()]
    const flags = take()
    const [owed, fresh] = [flags % 2 === 1, flags >= 2]
    const carries = takeCookies()
    flights.push({
      call: 0,
      ask,
      stage,
      byThief,
      leg,
      firstLeg,
      owed,
      fresh,
      carries,
      wanted: takeWanted(),
      sets: takeSets(),
    })
  }
  return {
    rows,
    copy,
    sinceRestore,
    restores,
    jar,
    flights,
    thief: { copied, holds, taken, changes },
    wish,
    overlap,
    calls: 0,
  }

  function takeWanted(): Wanted | null {
    const kind = take()
    if (kind === 0) return null
    const [sid, n, ahead, sending, number] = [take(), take(), take(), takeFlag(), take()]
    const sends = sending ? number : null
    if (kind === 1) return { sid, n, ahead, sends, line: null }
    return { sid, n, ahead, sends, line: { previous: take(), current: take(), successor: take() } }
  }

  function takeSets(): Sets | null {
    const kind = take()
    return kind === 0 ? null : { ...takeCookies(), clears: clearings[kind - 1] ?? 'nothing' }
  }
}

// Everything that can happen next in a world of one browser, one store and any number of servers; and whether the
// promises hold. Asks the servers what they say; knows no order of walking.
import type { Change } from '../../server/src/core/change.ts'
import type { Choice } from '../../server/src/core/session.ts'
import type { Mint } from '../../server/src/operations/engine.ts'
import {
  dropOldCopy,
  isEntering,
  isNothing,
  openMoves,
  settleOverlap,
  sidsOf,
  wishing,
  withFlight,
  withRow,
} from './moves.ts'
import { type Rule, shipped } from './rule.ts'
import { type Broken, type Emit, now, type Scene, type Telling } from './scene.ts'
import { first, isHolder, openServers } from './servers.ts'
import {
  type Cookies,
  dead,
  encode,
  type Flight,
  noCookies,
  type Row,
  type Sets,
  type State,
  type Thief,
  type Token,
  type Wanted,
  type Wish,
} from './state.ts'
import { apartOf, openTrouble } from './trouble.ts'

/** What of the jar a call needs: only a refresh asks for numbers, and for an access cookie only the others. */
function carry(jar: Cookies, does: Flight['ask']): Cookies {
  const { refresh, signIn } = jar
  if (does === 'refresh')
    return { refresh, signIn: signIn?.sid === refresh?.sid ? null : signIn, access: null }
  const named = (token: Token | null) => token && { ...token, n: -1 }
  return { ...jar, refresh: named(refresh), signIn: signIn?.sid === refresh?.sid ? null : named(signIn) }
}

const lineFields = ['previous', 'current', 'successor', 'changedAt'] as const

export function openWorld(scene: Scene, rule: Rule) {
  const { grace, skew } = scene
  const settled = grace + skew + 1
  /** A store that has not answered by then is given up. */
  const commitWithin = Math.floor((grace - skew) / 2)
  const enough = scene.enough ?? (scene.leg === null ? scene.atOnce + 2 : 3)
  const clocks = Array.from({ length: skew + 1 }, (_, i) => i)
  /** Nothing but the browser's own later calls can end what a sign-in opened. */
  const strict =
    !scene.does.includes('password change') && !scene.ends && scene.thief === 'never' && scene.restores === 0
  const servers = openServers(scene, rule)
  const { upset, endRow, apply } = openMoves(scene, rule.guards)
  const isShutOut = ({ thief }: State): boolean => thief.taken >= enough
  const trouble = openTrouble(scene, { endRow, serve: serveRefresh, isShutOut })

  function tick(state: State, emit: Emit): void {
    const { leg: longest } = scene
    if (longest !== null && state.flights.some(({ leg, byThief }) => !byThief && leg >= longest)) return
    if (state.flights.some(({ stage, leg }) => stage === 'decided' && leg >= commitWithin)) return
    const older = (row: Row): Row => (row.live ? { ...row, age: Math.min(row.age + 1, settled) } : row)
    emit(
      {
        ...state,
        rows: state.rows.map(older),
        copy: state.copy?.map(older) ?? null,
        sinceRestore: Math.min(state.sinceRestore + 1, apartOf(scene)),
        flights: state.flights.map(each => {
          const counts = each.stage === 'decided' || (scene.leg !== null && !each.byThief)
          return counts ? { ...each, leg: Math.min(each.leg + 1, settled) } : each
        }),
      },
      ['time passes'],
    )
  }

  /** Whether a cookie can lead anywhere; to a weakened rule even one of a dead session may. */
  const means = ({ rows, copy }: State, token: Token | null): boolean =>
    token !== null && (rule !== shipped || rows[token.sid]?.live || copy?.[token.sid]?.live) === true

  function compose(state: State, emit: Emit): void {
    const { jar, flights } = state
    const own = flights.filter(each => !each.byThief)
    if (own.length >= scene.atOnce) return
    const entering = own.some(isEntering)
    for (const does of scene.does) {
      if (does === 'refresh' && !means(state, jar.refresh) && !means(state, jar.signIn)) continue
      const flight: Flight = {
        call: state.calls + 1,
        ask: does,
        byThief: false,
        stage: 'sent',
        leg: 0,
        firstLeg: 0,
        carries: carry(jar, does),
        fresh: false,
        wanted: null,
        sets: null,
        owed:
          does === 'refresh'
            ? typeof state.wish === 'number'
            : does === 'sign-out' && !entering && !state.overlap,
      }
      const acts = does !== 'refresh'
      const before = acts ? wishing(state, 'open') : state
      const spoilt = isEntering(flight)
        ? before.flights.map(each => (each.ask === 'sign-out' && each.owed ? { ...each, owed: false } : each))
        : before.flights
      emit(
        {
          ...before,
          calls: flight.call,
          flights: [...spoilt, flight],
          overlap: state.overlap || (isEntering(flight) && entering),
        },
        ['composes', flight.call, does, jar.refresh?.n ?? -1, jar.refresh?.sid ?? -1],
      )
    }
  }

  /** The server reads the call and its clock, and decides. */
  function serve(state: State, index: number, flight: Flight, emit: Emit): void {
    if (flight.ask === 'refresh') for (const ahead of clocks) serveRefresh(state, index, flight, ahead, emit)
    else if (flight.ask === 'sign-out') serveSignOut(state, index, flight, emit)
    else serveEntrance(state, index, flight, emit)
  }

  function serveRefresh(state: State, index: number, flight: Flight, ahead: number, emit: Emit): void {
    const { choice, decision } = servers.ask(state, flight.carries, ahead)
    const chosen = typeof choice === 'object' ? choice : undefined
    const sid = Number(chosen?.sessionId ?? 0)
    const guarded = decision.changes.find(({ change }) => change === 'moveSession' || change === 'endSession')
    const unsound = unguarded(decision, chosen)
    if (guarded && 'sessionId' in guarded) {
      emit(
        withFlight(state, index, {
          ...flight,
          stage: 'decided',
          firstLeg: flight.leg,
          leg: 0,
          wanted: wantedOf(guarded, chosen, 'refusal' in decision ? undefined : decision.mint, ahead),
        }),
        ['decides', flight.call, guarded.change, chosen?.n ?? -1, sid],
        unsound,
      )
      return
    }
    if ('refusal' in decision) {
      const sets: Sets = { ...noCookies, clears: rule.refusalClears }
      const answer = isNothing(sets) || flight.byThief ? undefined : answered(flight, sets)
      const telling: Telling = ['refuses', flight.call, chosen?.n ?? -1, sid]
      emit(
        withFlight(state, index, answer),
        telling,
        flight.owed
          ? { promise: 'H1', how: 'an honest refresh is refused' }
          : chosen && !chosen.first && !flight.byThief && isTaken(state, sid)
            ? { promise: 'T1', how: 'the theft is not found' }
            : undefined,
      )
      return
    }
    const sets = servers.setsOf(sid, decision.mint)
    emit(
      takeAnswer(state, index, flight, sets),
      ['answers quietly', flight.call, chosen?.n ?? -1, sid, sets.refresh?.n ?? -1],
      unsound ?? unmoved(state, sid) ?? accepts(state, flight, sid),
    )
  }

  /** What no guard and no access token goes with must not leave a server. */
  function unguarded(
    decision: ReturnType<typeof servers.ask>['decision'],
    chosen: Choice | undefined,
  ): Broken | undefined {
    const row = chosen?.holder.session
    for (const change of decision.changes) {
      if (change.change !== 'moveSession' && change.change !== 'endSession') continue
      const { was } = change
      if (!row || !was || lineFields.some(field => was[field] !== row[field]))
        return { promise: 'T2', how: 'a change is not guarded by the row as it was read' }
    }
    return 'refusal' in decision || decision.mint?.access
      ? undefined
      : { promise: 'H1', how: 'a refresh is answered without an access token' }
  }

  const unmoved = ({ rows }: State, sid: number): Broken | undefined =>
    (rows[sid]?.age ?? 0) > grace + skew
      ? { promise: 'G1', how: 'a settled row is left as it is' }
      : undefined

  const wantedOf = (
    change: Change,
    choice: Choice | undefined,
    mint: Mint | undefined,
    ahead: number,
  ): Wanted => ({
    ahead: change.change === 'moveSession' ? change.line.changedAt - now : ahead,
    sid: Number(choice?.sessionId ?? 0),
    n: choice?.n ?? 0,
    line:
      change.change === 'moveSession'
        ? { previous: change.line.previous, current: change.line.current, successor: change.line.successor }
        : null,
    sends: mint?.refresh ?? null,
  })

  const answered = (flight: Flight, sets: Sets): Flight => ({
    ...flight,
    stage: 'answered',
    leg: scene.leg !== null && flight.stage === 'decided' ? flight.leg : 0,
    firstLeg: 0,
    carries: noCookies,
    wanted: null,
    sets,
    owed: flight.owed && flight.ask === 'sign-out',
  })

  /** The answer is on its way; what would change nothing need not travel, and a thief has it at once. */
  function takeAnswer(state: State, index: number, flight: Flight, sets: Sets): State {
    const flying = flight.byThief || isNothing(sets) ? undefined : answered(flight, sets)
    const next = withFlight(state, index, flying)
    if (!flight.byThief) return next
    const issued = sets.refresh ? [{ ...sets.refresh, issued: true }] : []
    return { ...next, thief: { ...state.thief, holds: [...state.thief.holds, ...issued] } }
  }

  /** The thief has changed this session's row often enough to shut its owner out. */
  const isTaken = ({ thief }: State, sid: number): boolean =>
    thief.changes >= 2 && thief.holds.some(each => each.issued && each.sid === sid)

  /** Whether it is right that this call is answered in this session. */
  function accepts(state: State, { byThief, ask: does }: Flight, sid: number): Broken | undefined {
    if (!state.rows[sid]?.live) return { promise: 'X1', how: 'a session that has ended answers' }
    if (byThief && isShutOut(state)) return { promise: 'T1', how: 'the thief is answered' }
    if (!byThief && isTaken(state, sid)) return { promise: 'T1', how: 'the owner is answered' }
    if (!byThief && does === 'refresh' && state.wish === 'out')
      return { promise: 'H2', how: 'a refresh is answered after the sign-out was' }
    return undefined
  }

  /** The commit of a refresh: its guard holds, or it would have been decided again. */
  function commit(state: State, index: number, flight: Flight, emit: Emit): void {
    const { wanted } = flight
    const row = wanted && state.rows[wanted.sid]
    if (!wanted || !row?.live) {
      emit(withFlight(state, index), ['gives up', flight.call])
      return
    }
    const { sid, n, line } = wanted
    const without = withFlight(state, index)
    if (!line) {
      emit(
        endRow(without, sid),
        ['ends as reused', flight.call, n, sid],
        scene.thief !== 'never' ? undefined : { promise: 'H1', how: 'the session ends as reused' },
      )
      return
    }
    const other = [row.current, row.successor].filter(each => each !== n)
    const moved: Row = {
      live: true,
      ...line,
      // A clock that ran ahead has written a later time.
      age: Math.min(flight.leg - wanted.ahead, settled),
      replaced: [...new Set([...row.replaced.filter(each => each !== n), ...other])],
    }
    const changed = withRow(state, sid, moved)
    // The flight itself must not be upset by its own commit.
    const mine: Flight = { ...flight, wanted: null, fresh: state.thief.copied }
    const upsetOthers = upset(withFlight(changed, index, mine), sid)
    const place = upsetOthers.flights.indexOf(mine)
    const holds = state.thief.holds.find(each => each.sid === sid && each.n === n)
    const counted: State =
      flight.byThief && holds?.issued
        ? { ...upsetOthers, thief: { ...state.thief, changes: Math.min(2, state.thief.changes + 1) } }
        : upsetOthers
    const sets: Sets = {
      ...noCookies,
      refresh: wanted.sends === null ? null : { sid, n: wanted.sends },
      access: scene.access ? sid : null,
      clears: 'nothing',
    }
    const broken = row.replaced.includes(n)
      ? ({ promise: 'T2', how: 'a replaced number changes the row' } as const)
      : (accepts(state, flight, sid) ?? secondRound(state, changed, index, sid))
    emit(
      dropOldCopy(scene, takeAnswer(counted, place, mine, sets)),
      ['commits', flight.call, n, sid, wanted.sends ?? -1],
      broken,
    )
  }

  /** L1: whoever loses to this commit finds a quiet row. */
  function secondRound(before: State, after: State, index: number, sid: number): Broken | undefined {
    const losers = before.flights.filter((each, i) => i !== index && each.wanted?.sid === sid)
    for (const loser of losers) {
      for (const ahead of clocks) {
        const { decision } = servers.ask(after, loser.carries, ahead)
        if (decision.changes.some(({ change }) => change === 'moveSession'))
          return { promise: 'L1', how: 'the second round changes the row again' }
      }
    }
    return undefined
  }

  function serveSignOut(state: State, index: number, flight: Flight, emit: Emit): void {
    const { changes } = servers.signOut(state, flight.carries)
    const done = apply(withFlight(state, index), changes)
    const sets: Sets = { ...noCookies, clears: rule.signOutClears }
    emit(
      { ...done, flights: [...done.flights, answered(flight, sets)] },
      ['signs out', flight.call],
      endsWhatItNames(state, done, flight),
    )
  }

  /** Commits what opens a session, and sends its cookies on their way. */
  function serveEntrance(state: State, index: number, flight: Flight, emit: Emit): void {
    const serve = flight.ask === 'sign-in' ? servers.signIn : servers.changePassword
    const decision = serve(state, flight.carries)
    if (!decision) {
      emit(withFlight(state, index), ['refuses', flight.call])
      return
    }
    if ('refusal' in decision) throw new Error(`It cannot be refused here: ${decision.refusal.refused}`)
    const sid = state.rows.length
    const done = apply(withFlight(state, index), decision.changes)
    const sets = servers.setsOf(sid, decision.mint)
    const opens = done.rows[sid]?.live === true && sets.signIn?.sid === sid && sets.refresh?.sid === sid
    emit(
      { ...done, flights: [...done.flights, answered(flight, sets)] },
      ['signs in', flight.call, sid],
      opens ? endsWhatItNames(state, done, flight) : { promise: 'H3', how: 'what was opened is of no use' },
    )
  }

  /** Sign-out and sign-in end the sessions that the call's cookies name, and no other; a password change ends all before it. */
  function endsWhatItNames(before: State, after: State, { ask: does, carries }: Flight): Broken | undefined {
    const named = sidsOf(carries)
    const isNamed = (sid: number) => does === 'password change' || named.includes(sid)
    for (const [sid, row] of before.rows.entries()) {
      const lives = after.rows[sid]?.live === true
      if (row.live && lives && isNamed(sid))
        return { promise: 'H2', how: 'a session that was to end lives on' }
      if (row.live && !lives && !isNamed(sid))
        return { promise: 'H3', how: 'a session ends that no cookie of the call named' }
    }
    return undefined
  }

  /** The answer's Set-Cookie lines reach the jar. */
  function arrive(state: State, index: number, flight: Flight, emit: Emit): void {
    const sets = flight.sets ?? { ...noCookies, clears: 'nothing' as const }
    const { jar } = state
    const cleared = sets.clears !== 'nothing'
    const next: Cookies = {
      refresh: sets.refresh ?? (cleared ? null : jar.refresh),
      signIn: sets.signIn ?? (sets.clears === 'everything' ? null : jar.signIn),
      access: sets.access ?? (cleared ? null : jar.access),
    }
    const { thief } = state
    const takes = flight.fresh && thief.holds.some(({ sid }) => sid === sets.refresh?.sid)
    const landed: State = {
      ...withFlight(state, index),
      jar: next,
      thief: takes ? { ...thief, taken: Math.min(enough, thief.taken + 1) } : thief,
    }
    const believed = settleOverlap(wishing(landed, wishAfter(landed, flight)))
    const helped = isEntering(flight) ? check(believed) : undefined
    emit(
      believed,
      ['arrives', flight.call, sets.clears, sets.refresh?.n ?? -1, sets.refresh?.sid ?? -1],
      helped && { ...helped, promise: 'H4' },
    )
  }

  /** What the person believes once this answer is there. */
  function wishAfter(state: State, flight: Flight): Wish {
    if (isEntering(flight)) {
      const sid = flight.sets?.signIn?.sid ?? 0
      return strict || state.rows[sid]?.live ? sid : 'open'
    }
    if (flight.ask === 'sign-out') return flight.owed && !state.flights.some(isEntering) ? 'out' : state.wish
    return state.wish
  }

  /** What the browser would meet if it asked now, and after a long sleep. */
  function check(state: State): Broken | undefined {
    const { wish, jar } = state
    if (wish === 'open') return undefined
    for (const late of [-skew, settled]) {
      const { choice, decision } = servers.ask(state, jar, 0, late)
      const refused = 'refusal' in decision
      if (wish === 'out' && !refused)
        return { promise: 'H2', how: 'the browser is signed in after it signed out' }
      if (
        typeof wish === 'number' &&
        (refused || typeof choice !== 'object' || choice.sessionId !== String(wish))
      )
        return { promise: 'H3', how: `the browser is ${refused ? 'signed out' : 'in another session'}` }
    }
    if (!scene.access) return undefined
    const who = servers.whoCalls(state, jar)
    if (!isHolder(who)) return undefined
    if (wish === 'out') return { promise: 'H2', how: 'who-am-I knows a browser that signed out' }
    return who.session.id === String(wish)
      ? undefined
      : { promise: 'H3', how: 'who-am-I tells another session' }
  }

  function expand(state: State, emit: Emit): void {
    tick(state, emit)
    compose(state, emit)
    for (const [index, flight] of state.flights.entries()) {
      if (index > 0 && same(flight, state.flights[index - 1])) continue
      if (flight.stage === 'sent') serve(state, index, flight, emit)
      else if (flight.stage === 'decided') commit(state, index, flight, emit)
      else {
        arrive(state, index, flight, emit)
        // A call that is lost, or whose server dies before the commit, is one that was never composed.
        if (scene.losses)
          emit(settleOverlap(withFlight(state, index)), [
            'is lost',
            flight.call,
            flight.sets?.refresh?.n ?? -1,
          ])
      }
    }
    trouble(state, emit)
  }

  const same = (a: Flight, b: Flight | undefined) =>
    a.stage === b?.stage && a.ask === b.ask && JSON.stringify(a) === JSON.stringify(b)

  return { start: startState(scene), expand, check, key: (state: State) => encode(state, rule !== shipped) }
}

const nothief: Thief = { copied: false, holds: [], taken: 0, changes: 0 }

/** Just signed in. */
const startState = (scene: Scene): State => ({
  rows: [dead, { ...dead, live: true, previous: 0, current: 0, successor: 1 }],
  copy: null,
  sinceRestore: apartOf(scene),
  restores: scene.restores,
  jar: { refresh: { sid: 1, n: first }, signIn: { sid: 1, n: first }, access: scene.access ? 1 : null },
  flights: [],
  thief: nothief,
  wish: scene.promises.some(promise => promise.startsWith('H')) ? 1 : 'open',
  overlap: false,
  calls: 0,
})

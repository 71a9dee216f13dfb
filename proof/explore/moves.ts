// What becomes of a state when a commit, an answer or a change of mind reaches it: moves from one state to the next, which
// ask no rule anything.
import type { Change } from '../../server/src/core/change.ts'
import { isLive } from '../../server/src/core/session.ts'
import { now, type Scene } from './scene.ts'
import { type Cookies, dead, type Flight, type Row, type Sets, type State, type Wish } from './state.ts'

export const isNothing = ({ refresh, signIn, access, clears }: Sets): boolean =>
  refresh === null && signIn === null && access === null && clears === 'nothing'

export const isEntering = ({ ask }: Flight): boolean => ask === 'sign-in' || ask === 'password change'

/** Every session that cookies name, once. */
export const sidsOf = ({ refresh, signIn, access }: Cookies): readonly number[] => [
  ...new Set([refresh?.sid, signIn?.sid, access].filter(sid => sid !== undefined && sid !== null)),
]

/** The state with another flight in that place, or with none. */
export const withFlight = (state: State, index: number, flight?: Flight): State => ({
  ...state,
  flights: state.flights.flatMap((each, i) => (i === index ? (flight ? [flight] : []) : [each])),
})

export function withRow(state: State, sid: number, row: Row): State {
  const rows = state.rows.slice()
  rows[sid] = row
  return { ...state, rows }
}

/** After a change of the person's mind nothing is owed by what was composed before. */
export function wishing(state: State, wish: Wish): State {
  if (wish === state.wish) return state
  const flights = state.flights.map(each =>
    each.ask === 'refresh' && each.owed ? { ...each, owed: false } : each,
  )
  return { ...state, wish, flights }
}

/** With nothing under way and one session in the jar, earlier sign-ins no longer overlap. */
export function settleOverlap(state: State): State {
  if (!state.overlap || state.flights.length > 0) return state
  const live = sidsOf(state.jar).filter(sid => state.rows[sid]?.live)
  return live.length > 1 ? state : { ...state, overlap: false }
}

/** Bounds how far a copy may be behind: further back it is the same but for larger numbers. */
export function dropOldCopy({ behind }: Scene, state: State): State {
  const { rows, copy } = state
  const tooOld = copy?.some(
    (row, sid) => row.live && rows[sid]?.live && rows[sid].successor - row.successor > behind,
  )
  return tooOld ? { ...state, copy: null } : state
}

/** `guards`: whether the store holds changes to them. */
export function openMoves({ leg: longest }: Scene, guards: boolean) {
  /** A commit makes every other decision on that row void: its guard will fail, and it is decided again. */
  function upset(state: State, sid: number): State {
    if (!guards) return state
    const flights = state.flights.flatMap((each): Flight[] => {
      if (each.wanted?.sid !== sid) return [each]
      const leg = longest === null ? 0 : each.firstLeg + each.leg
      // A thief asks again whenever he likes; a call that can no longer keep to the bound is one that never ends.
      if (each.byThief || (longest !== null && leg > longest)) return []
      return [{ ...each, stage: 'sent', wanted: null, leg, firstLeg: 0 }]
    })
    return { ...state, flights }
  }

  function endRow(state: State, sid: number): State {
    const ended = upset(withRow(state, sid, dead), sid)
    return state.wish === sid ? wishing(ended, 'open') : ended
  }

  /** Ends and opens what a decision says. */
  function apply(state: State, changes: readonly Change[]): State {
    let next = state
    for (const change of changes) {
      if (change.change === 'endSession') next = endRow(next, Number(change.sessionId))
      else if (change.change === 'endSessionsOf') {
        for (const sid of next.rows.keys()) if (String(sid) !== change.except) next = endRow(next, sid)
      } else if (change.change === 'openSession') {
        const { previous, current, successor } = change.session
        const live = isLive(change.session, now)
        const row: Row = { ...dead, live, previous, current, successor, age: now - change.session.changedAt }
        next = { ...next, rows: [...next.rows, row] }
      }
    }
    return next
  }

  return { upset, endRow, apply }
}

export type Moves = ReturnType<typeof openMoves>

// What goes wrong beside the network: sessions that end elsewhere, cookies that expire, a store that goes back to a copy,
// and a thief. Each is a step that may happen at any moment.
import { type Moves, wishing } from './moves.ts'
import type { Broken, Emit, Scene, Telling } from './scene.ts'
import { dead, type Flight, noCookies, type Row, type State } from './state.ts'

/** What the world lends: how a refresh of the thief's is served. */
export type Lent = Pick<Moves, 'endRow'> & {
  serve(state: State, index: number, flight: Flight, ahead: number, emit: Emit): void
  isShutOut(state: State): boolean
}

/** Restores are more than twice the grace apart. */
export const apartOf = ({ grace }: Scene): number => 2 * grace + 1

export function openTrouble(scene: Scene, { endRow, serve, isShutOut }: Lent) {
  function endElsewhere(state: State, emit: Emit): void {
    for (const [sid, row] of state.rows.entries())
      if (row.live) emit(endRow(state, sid), ['ends elsewhere', sid])
  }

  /** It lives as long as a session may idle and is not written again: by then a refresh cookie stands beside it, or nothing lives. */
  function loseSignIn(state: State, emit: Emit): void {
    const { refresh, signIn } = state.jar
    if (signIn && refresh?.sid === signIn.sid && state.flights.length === 0)
      emit({ ...state, jar: { refresh, signIn: null, access: null } }, ['the cookies of the sign-in expire'])
  }

  function dieAccess(state: State, emit: Emit): void {
    if (state.jar.access !== null)
      emit({ ...state, jar: { ...state.jar, access: null } }, [
        'the access token expires, or its key is withdrawn',
      ])
  }

  function goBack(state: State, emit: Emit): void {
    if (state.restores === 0) return
    emit({ ...state, copy: state.rows }, ['a copy of the store is taken'])
    // No operation loads from one copy and commits to the other.
    const busy = state.flights.some(({ stage }) => stage === 'decided')
    if (!state.copy || busy || state.sinceRestore < apartOf(scene)) return
    const { copy } = state
    const rows = state.rows.map((_, sid): Row => {
      const row = copy[sid]
      return row?.live ? { ...row, replaced: [] } : dead
    })
    const back: State = {
      ...state,
      rows,
      copy: state.restores > 1 ? copy : null,
      restores: state.restores - 1,
      sinceRestore: 0,
      // It may have brought back sessions that a later sign-in had ended.
      overlap: true,
      flights: state.flights.map(each => (each.ask === 'sign-out' ? { ...each, owed: false } : each)),
      thief: {
        ...state.thief,
        taken: 0,
        changes: 0,
        holds: state.thief.holds.map(each => ({ ...each, issued: false })),
      },
    }
    emit(isKept(back) ? back : wishing(back, 'open'), ['the copy is restored'])
  }

  /**
   * What a restore leaves of the person's belief: a session that the copy knows; a sign-out when nothing was under way and
   * the session had moved beyond the number that the sign-in cookie says.
   */
  function isKept({ wish, rows, jar, flights }: State): boolean {
    if (typeof wish === 'number') return rows[wish]?.live === true
    const row = rows[jar.signIn?.sid ?? 0]
    const passed = !row?.live || (jar.signIn?.n ?? 0) < row.previous
    return wish === 'out' && flights.length === 0 && !jar.refresh && jar.access === null && passed
  }

  function steal(state: State, emit: Emit): void {
    const { thief, jar } = state
    if (!thief.copied || scene.thief === 'often') {
      const copied = [jar.refresh, jar.signIn].flatMap(token => (token ? [{ ...token, issued: false }] : []))
      const holds = [...thief.holds, ...copied]
      const flights = state.flights.map(each => (each.fresh ? { ...each, fresh: false } : each))
      emit({ ...state, flights, thief: { ...thief, copied: true, holds, taken: 0 } }, [
        'the thief copies the cookies',
      ])
    }
    if (!thief.copied) return
    if (state.flights.some(each => each.byThief)) return
    for (const { sid, n } of thief.holds) {
      if (!state.rows[sid]?.live) continue
      for (const slot of ['refresh', 'signIn'] as const) {
        const flight: Flight = {
          call: 0,
          ask: 'refresh',
          byThief: true,
          stage: 'sent',
          leg: 0,
          firstLeg: 0,
          fresh: false,
          carries: { ...noCookies, [slot]: { sid, n } },
          wanted: null,
          sets: null,
          owed: false,
        }
        const sent: State = { ...state, flights: [...state.flights, flight] }
        serve(sent, state.flights.length, flight, 0, (next, telling, broken) =>
          emit(next, telling, broken ?? unfound(state, slot, telling)),
        )
      }
      emit(endRow(state, sid), ['the thief signs out', sid])
    }
  }

  /** A thief who is shut out and tries as everybody does is found. */
  const unfound = (state: State, slot: string, [did, , what]: Telling): Broken | undefined =>
    isShutOut(state) && slot === 'refresh' && !(did === 'decides' && what === 'endSession')
      ? { promise: 'T1', how: 'the thief who fell behind is not found' }
      : undefined

  return (state: State, emit: Emit): void => {
    if (scene.ends) {
      endElsewhere(state, emit)
      loseSignIn(state, emit)
    }
    if (scene.access) dieAccess(state, emit)
    if (scene.restores > 0) goBack(state, emit)
    if (scene.thief !== 'never') steal(state, emit)
  }
}

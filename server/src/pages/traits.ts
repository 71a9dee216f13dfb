// What the pages must know of the dialect that they stand beside, read from its value: where its cookies go, what its
// sign-up takes, what it lets strangers know. Asks for no name.
import type { Dialect, Route } from '../http/dialect.ts'

/** A field that sign-up may show. */
export type Taken = 'no' | 'optional' | 'required'

export type Traits = {
  /** The refresh cookie is sent below this path only, so there the pages stand: `''` or `/api`. */
  readonly base: string
  readonly cookies: Dialect['cookies']
  /** A browser keeps some cookie back when a link on another site leads here. */
  readonly strict: boolean
  /** Undefined: it makes no accounts. */
  readonly signUp: { readonly username: Taken; readonly name: Taken } | undefined
  /** Whether it says which of the two is taken: what it keeps to itself the pages keep too. */
  readonly saysWhatIsTaken: boolean
}

function takenBy({ takes, requires }: Route, field: string): Taken {
  const wires = Object.keys(takes).filter(wire => takes[wire] === field)
  if (wires.length === 0) return 'no'
  return wires.some(wire => requires.includes(wire)) ? 'required' : 'optional'
}

/** What a stranger is told, but for the call id. */
function told(dialect: Dialect, route: Route, refused: 'email_taken' | 'username_taken'): string {
  const { refusals } = dialect
  const render = route.refusals[refused] ?? refusals[refused] ?? refusals.otherwise
  return JSON.stringify(render({ refused, callId: '' }))
}

/** Where there is no access cookie the pages have one of their own, where the refresh cookie is. */
function cookiesOf({ cookies }: Dialect): Dialect['cookies'] {
  const { refresh, csrf } = cookies
  return {
    ...cookies,
    access: cookies.access ?? { ...refresh, name: 'rusk_access' },
    // The front end needs it after a sign-in here; forms of these pages are guarded by the floor.
    ...(csrf ? { csrf: { ...csrf, writtenOnly: true } } : {}),
  }
}

export function traitsOf(dialect: Dialect): Traits {
  const cookies = cookiesOf(dialect)
  const route = Object.values(dialect.routes).find(({ does }) => does === 'signUp' || does === 'register')
  return {
    base: cookies.refresh.path.replace(/\/$/, ''),
    cookies,
    strict: [cookies.access, cookies.refresh].some(cookie => cookie?.sameSite === 'Strict'),
    signUp: route && { username: takenBy(route, 'username'), name: takenBy(route, 'name') },
    saysWhatIsTaken:
      route !== undefined && told(dialect, route, 'email_taken') !== told(dialect, route, 'username_taken'),
  }
}

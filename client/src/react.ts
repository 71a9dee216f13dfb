// @rusk/client/react: what the client knows, as React shows things. Owns hooks and one guard; knows no markup but one
// wrapper, no route, and nothing of the wire.
'use client'

import {
  createContext,
  createElement,
  Fragment,
  type ReactElement,
  type ReactNode,
  useContext,
  useMemo,
  useState,
  useSyncExternalStore,
} from 'react'
import type { Client, PasswordChange, Reason, SignIn, SignUp, State } from './contract.ts'
import type { NativeUser } from './dialect.ts'
import { RuskError } from './error.ts'

const Context = createContext<Client<unknown> | undefined>(undefined)

/** Where the hooks below look. One client, made outside of every component. */
export function RuskProvider(props: {
  readonly client: Client<unknown>
  readonly children?: ReactNode
}): ReactElement {
  return createElement(Context.Provider, { value: props.client }, props.children)
}

/** `User`: what the client's dialect says a person is; name it where it is not the native one. */
export function useClient<User = NativeUser>(): Client<User> {
  const client = useContext(Context)
  if (!client)
    throw new Error('Hooks of @rusk/client/react work inside of <RuskProvider client={client}> only')
  // A context has one type for every tree; what its client's users are is known where the client was made.
  return client as Client<User>
}

const unasked: State<never> = { status: 'unknown' }

/** Inside of a guard that hides what it guards: the state as it was when that was last seen. */
const Held = createContext<State<unknown> | undefined>(undefined)

/** `client.state`, and a rendering at every change. On a server it is unknown, and nobody is asked. */
export function useSession<User = NativeUser>(): State<User> {
  const client = useClient<User>()
  const held = useContext(Held)
  const state = useSyncExternalStore(
    client.subscribe,
    () => client.state,
    () => unasked,
  )
  return held ? (held as State<User>) : state
}

/**
 * The actions stay the same from one rendering to the next. They never reject for a refusal or a bad network, so that
 * `onSubmit` needs no `catch`: they resolve to undefined or false, and `error` tells why. They reject for bugs.
 */
export type Auth<User = NativeUser> = {
  /** Null unless somebody is known to be signed in. */
  readonly user: User | null
  /** Nobody knows yet who is signed in, or an action of this very hook is under way. */
  readonly loading: boolean
  /** Of this hook's last action, until its next; else why it is unknown who is signed in. */
  readonly error: RuskError | null
  signUp(fields: SignUp): Promise<User | undefined>
  signIn(fields: SignIn): Promise<User | undefined>
  changePassword(fields: PasswordChange): Promise<User | undefined>
  /** True: the server has ended the session. */
  signOut(): Promise<boolean>
}

type Acting = { readonly running: number; readonly error: RuskError | null }

/** Who is signed in, and what a sign-in form needs. */
export function useAuth<User = NativeUser>(): Auth<User> {
  const client = useClient<User>()
  const state = useSession<User>()
  const [{ running, error }, setActing] = useState<Acting>({ running: 0, error: null })

  const actions = useMemo(() => {
    let last = 0
    const act = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
      last++
      const own = last
      setActing(now => ({ running: now.running + 1, error: null }))
      let refused: RuskError | null = null
      try {
        return await work()
      } catch (failure) {
        if (!(failure instanceof RuskError)) throw failure
        refused = failure
        return undefined
      } finally {
        setActing(now => ({ running: now.running - 1, error: own === last ? refused : now.error }))
      }
    }
    return {
      signUp: (fields: SignUp) => act(() => client.signUp(fields)),
      signIn: (fields: SignIn) => act(() => client.signIn(fields)),
      changePassword: (fields: PasswordChange) => act(() => client.changePassword(fields)),
      signOut: async () => (await act(() => client.signOut().then(() => true))) ?? false,
    }
  }, [client])

  return {
    user: state.status === 'signed-in' ? state.user : null,
    loading: running > 0 || state.status === 'unknown',
    error: error ?? ((state.status === 'unknown' && state.error) || null),
    ...actions,
  }
}

type Fallback = ReactNode | ((reason: Reason) => ReactNode)

export type SignedInProps = {
  readonly children?: ReactNode
  /** While nobody is signed in. A function is called, not mounted: it uses no hooks itself. */
  readonly fallback?: Fallback
  /** While nobody knows. */
  readonly loading?: ReactNode
}

const insteadOf = (fallback: Fallback, reason: Reason): ReactNode =>
  typeof fallback === 'function' ? fallback(reason) : fallback

type Known = Exclude<State<unknown>, { readonly status: 'unknown' }>

/**
 * Shows its children while somebody is signed in. When that is unknown for a while (the page came back from the
 * back/forward cache) what was shown is hidden and stays as it is, a half-filled form among it; to hooks in there nothing has
 * changed. Another user gets new children, and sign-out ends them. What they put elsewhere in the page, portals, does not
 * hide with them.
 */
export function SignedIn({ children, fallback, loading }: SignedInProps): ReactElement {
  const client = useClient<unknown>()
  const state = useSession<unknown>()
  const [seen, setSeen] = useState<{ readonly state: Known; readonly key: string }>()
  const isKnown = state.status !== 'unknown'
  if (isKnown && state !== seen?.state) setSeen({ state, key: `${state.status} ${client.userId}` })

  const shown = seen?.state.status === 'signed-out' ? insteadOf(fallback, seen.state.reason) : children
  return createElement(
    Fragment,
    null,
    seen &&
      createElement(
        'div',
        // By style too: a sheet that says how a div is shown wins over the attribute.
        { key: seen.key, hidden: !isKnown, style: { display: isKnown ? 'contents' : 'none' } },
        createElement(Held.Provider, { value: isKnown ? undefined : seen.state }, shown),
      ),
    !isKnown && loading,
  )
}

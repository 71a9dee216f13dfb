// A small app in React, as people write one: a form, a guarded page with something half written, a status line.
import { createElement as h, type ReactElement, StrictMode, type SubmitEvent, useRef, useState } from 'react'
import type { Client } from '../../src/contract.ts'
import { RuskProvider, SignedIn, useAuth, useSession } from '../../src/react.ts'

function Status(): ReactElement {
  const { status } = useSession()
  const { user, loading, error } = useAuth()
  const line = [status, user?.email ?? 'nobody', loading ? 'loading' : 'settled', error?.code ?? 'fine']
  return h('output', { id: 'status' }, line.join(' '))
}

function Entry({ reason }: { readonly reason: string }): ReactElement {
  const { signIn, loading, error } = useAuth()
  const first = useRef(signIn)
  const [outcome, setOutcome] = useState('')
  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const user = await signIn({
      login: String(fields.get('login')),
      password: String(fields.get('password')),
    })
    setOutcome(user ? user.email : 'nobody')
  }
  return h(
    'form',
    {
      id: 'entry',
      'data-reason': reason,
      'data-outcome': outcome,
      'data-steady': first.current === signIn,
      onSubmit: submit,
    },
    h('input', { name: 'login', 'aria-label': 'Login' }),
    h('input', { name: 'password', type: 'password', 'aria-label': 'Password' }),
    h('button', { type: 'submit', disabled: loading }, 'Sign in'),
    error && h('p', { role: 'alert' }, `${error.code}: ${error.message}`),
  )
}

function Notes(): ReactElement {
  const { user, signOut, loading, error } = useAuth()
  const [birth] = useState(Math.random)
  const [outcome, setOutcome] = useState('')
  // Inside of the guard there is somebody, always.
  if (!user) throw new Error('The guard let nobody in')
  const leave = async () => setOutcome(String(await signOut()))
  return h(
    'section',
    { id: 'notes', 'data-birth': birth, 'data-outcome': outcome },
    h('p', null, user.email),
    h('textarea', { 'aria-label': 'Note' }),
    h('button', { type: 'button', onClick: leave, disabled: loading }, 'Sign out'),
    error && h('p', { role: 'alert' }, error.code),
  )
}

export const App = ({ client }: { readonly client: Client }): ReactElement =>
  h(
    StrictMode,
    null,
    h(
      RuskProvider,
      { client },
      h(Status),
      h(
        SignedIn,
        {
          fallback: (reason: string) => h(Entry, { reason }),
          loading: h('p', { id: 'loading' }, 'One moment'),
        },
        h(Notes),
      ),
    ),
  )

// src/App.tsx: a page for whoever is signed in, and a form for everybody else.
import type { RuskError } from '@rusk/client'
import { RuskProvider, SignedIn, useAuth } from '@rusk/client/react'
import { type SubmitEvent, useState } from 'react'
import { client } from './client.ts'

/** Where Rusk itself has said nothing. */
const silences: Record<string, string> = {
  offline: 'The server cannot be reached',
  timeout: 'The server takes too long',
  unavailable: 'The server cannot answer just now',
}
const sentenceOf = ({ code, message }: RuskError) => silences[code] ?? message

const column = { display: 'grid', gap: '1rem', justifyItems: 'center' }

export default function App() {
  return (
    <RuskProvider client={client}>
      <main>
        <SignedIn fallback={<Entry />} loading={<Waiting />}>
          <Home />
        </SignedIn>
      </main>
    </RuskProvider>
  )
}

function Home() {
  const { user, signOut, error } = useAuth()
  return (
    <>
      <h1>Hello {user?.email}</h1>
      {error && <p role="alert">Could not sign out: {sentenceOf(error)}</p>}
      <button type="button" onClick={signOut}>
        Sign out
      </button>
    </>
  )
}

function Waiting() {
  const { error } = useAuth()
  return <p role="status">{error ? `${sentenceOf(error)}. Asking again …` : 'One moment …'}</p>
}

function Entry() {
  const [isNew, setNew] = useState(false)
  return (
    <div style={column}>
      <Form key={String(isNew)} isNew={isNew} />
      <button type="button" onClick={() => setNew(!isNew)}>
        {isNew ? 'I have an account' : 'I am new here'}
      </button>
    </div>
  )
}

function Form({ isNew }: { isNew: boolean }) {
  const { signIn, signUp, error, loading } = useAuth()
  const [title, kind] = isNew ? ['Sign up', 'new-password'] : ['Sign in', 'current-password']

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (loading) return
    const fields = new FormData(event.currentTarget)
    const [email, password] = [String(fields.get('email')), String(fields.get('password'))]
    if (isNew) signUp({ email, password })
    else signIn({ login: email, password })
  }

  return (
    <form onSubmit={submit} style={column}>
      <h1>{title}</h1>
      {error && (
        <p role="alert">{[sentenceOf(error), ...error.issues.map(({ message }) => message)].join('. ')}</p>
      )}
      <label>
        E-mail address <input name="email" type="email" autoComplete="username" required />
      </label>
      <label>
        Password <input name="password" type="password" autoComplete={kind} required />
      </label>
      <button type="submit">{title}</button>
    </form>
  )
}

// src/App.tsx: a page for whoever is signed in, and a form for everybody else.
import { createClient } from '@rusk/client'
import { RuskProvider, SignedIn, useAuth } from '@rusk/client/react'
import { type SubmitEvent, useState } from 'react'

const client = createClient()

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
      {error && <p role="alert">Could not sign out: {error.message}</p>}
      <button type="button" onClick={signOut}>
        Sign out
      </button>
    </>
  )
}

function Waiting() {
  const { error } = useAuth()
  return <p role="status">{error ? `No answer (${error.message}). Asking again …` : 'One moment …'}</p>
}

function Entry() {
  const [isNew, setNew] = useState(false)
  const [forKnown, forNew] = [useAuth(), useAuth()] // each has the error of its own last action
  const { signIn, signUp, error, loading } = isNew ? forNew : forKnown
  const [title, other, kind] = isNew
    ? ['Sign up', 'I have an account', 'new-password']
    : ['Sign in', 'I am new here', 'current-password']

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (loading) return
    const fields = new FormData(event.currentTarget)
    const [email, password] = [String(fields.get('email')), String(fields.get('password'))]
    if (isNew) signUp({ email, password })
    else signIn({ login: email, password })
  }

  return (
    <form onSubmit={submit} style={{ display: 'grid', gap: '1rem', justifyItems: 'center' }}>
      <h1>{title}</h1>
      {error && <p role="alert">{[error, ...error.issues].map(each => each.message).join('. ')}</p>}
      <label>
        E-mail address <input name="email" type="email" autoComplete="username" required />
      </label>
      <label>
        Password <input name="password" type="password" autoComplete={kind} required />
      </label>
      <button type="submit">{title}</button>
      <button type="button" onClick={() => setNew(!isNew)}>
        {other}
      </button>
    </form>
  )
}

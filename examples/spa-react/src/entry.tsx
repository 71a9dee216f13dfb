// The form that lets people in: sign in, or make an account. What is wrong stands beside the field it is about.
import type { Reason } from '@rusk/client'
import { useAuth } from '@rusk/client/react'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { Field } from './field.tsx'
import { wrongsOf } from './refused.ts'

/** Why somebody who was signed in is not any more. */
const farewells: Readonly<Record<Reason, string | undefined>> = {
  nobody: undefined,
  'signed-out': 'You are signed out.',
  ended: 'Your session has ended. Sign in to go on.',
}

export function Entry({ reason }: { readonly reason: Reason }) {
  const [isNew, setNew] = useState(false)
  const [askedNew, setAskedNew] = useState(false)
  const { signIn, signUp, error, loading } = useAuth()

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (loading) return
    const fields = new FormData(event.currentTarget)
    const email = String(fields.get('email'))
    const password = String(fields.get('password'))
    if (isNew) signUp({ email, password })
    else signIn({ login: email, password })
    setAskedNew(isNew)
  }

  const wrong = wrongsOf(askedNew === isNew ? error : null)
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
  }, [error])

  return (
    <form className="card" ref={form} onSubmit={submit} noValidate>
      <h1>{isNew ? 'Make an account' : 'Sign in'}</h1>
      {farewells[reason] && !error && <p role="status">{farewells[reason]}</p>}
      {wrong[''] && <p role="alert">{wrong['']}</p>}
      <Field
        label="E-mail address"
        name="email"
        type="email"
        autoComplete="username"
        wrong={wrong.email ?? wrong.login}
      />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete={isNew ? 'new-password' : 'current-password'}
        hint={isNew ? 'At least 8 characters, and none that everybody takes.' : undefined}
        wrong={wrong.password}
      />
      <button type="submit" aria-disabled={loading}>
        {isNew ? 'Make my account' : 'Sign in'}
      </button>
      <button type="button" className="plain" onClick={() => setNew(!isNew)}>
        {isNew ? 'I have an account already' : 'I am new here'}
      </button>
    </form>
  )
}

// The frame around every page, and which page stands at which address.
import { SignedIn, useAuth } from '@rusk/client/react'
import { useEffect, useRef } from 'react'
import { Entry } from './entry.tsx'
import { Notes } from './notes.tsx'
import { Link, usePlace } from './place.tsx'
import { sentenceOf } from './refused.ts'

export function App() {
  const place = usePlace()
  const { user, signOut, error } = useAuth()

  // What had the focus may have gone with the page before: then it is here.
  const main = useRef<HTMLElement>(null)
  useEffect(() => {
    const isLost = document.activeElement === document.body
    if (isLost && navigator.userActivation.hasBeenActive) main.current?.focus()
  })

  return (
    <>
      <header>
        <nav aria-label="Pages">
          <Link href="/">Start</Link>
          <Link href="/notes">My notes</Link>
        </nav>
        {user && (
          <p>
            <span className="who">{user.email}</span>
            <button type="button" className="quiet" onClick={() => signOut()}>
              Sign out
            </button>
          </p>
        )}
      </header>
      <main ref={main} tabIndex={-1}>
        {user && error && <p role="alert">{sentenceOf(error)}</p>}
        {place === '/notes' ? (
          <SignedIn fallback={reason => <Entry reason={reason} />} loading={<Waiting />}>
            <Notes />
          </SignedIn>
        ) : (
          <Start />
        )}
      </main>
    </>
  )
}

/** Nobody knows yet who is signed in. When the server cannot say, the client asks again by itself. */
function Waiting() {
  const { error } = useAuth()
  return <p role="status">{error ? sentenceOf(error) : 'One moment …'}</p>
}

const Start = () => (
  <section className="card">
    <h1>A place for notes</h1>
    <p>
      Everybody may read this page. <Link href="/notes">Your notes</Link> are for you alone.
    </p>
  </section>
)

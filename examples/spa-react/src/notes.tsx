// The page that only its owner sees: notes by the app's own API, and what the server tells while the page is open.
import { stream } from '@rusk/client'
import { useClient } from '@rusk/client/react'
import { type FormEvent, useEffect, useState } from 'react'
import { Field } from './field.tsx'
import { sentenceOf } from './refused.ts'

type Note = { readonly id: string; readonly text: string; readonly writtenAt: number }

const pause = () => new Promise(resolve => setTimeout(resolve, 1000))

export function Notes() {
  const client = useClient()
  const [notes, setNotes] = useState<readonly Note[]>()
  const [live, setLive] = useState('Connecting …')
  const [wrong, setWrong] = useState<string>()
  const [isSending, setSending] = useState(false)

  useEffect(() => {
    const left = new AbortController()
    const { signal } = left
    const load = async () => {
      const answer = await client.fetch('/api/notes', { signal })
      if (answer.ok) setNotes(await answer.json())
    }
    const follow = async () => {
      for await (const { event, data } of stream(client, '/api/stream', { signal })) {
        if (event === 'time') setLive(`Live: the server’s clock says ${readTime(data)}`)
        if (event === 'notes') await load()
      }
    }
    // A stream ends with the access token that it began with, if nothing else ends it: then the next one begins.
    const watch = async () => {
      while (!signal.aborted) {
        await follow().catch(error => signal.aborted || setLive(sentenceOf(error)))
        await pause()
      }
    }
    watch()
    return () => left.abort()
  }, [client])

  const write = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (isSending) return
    const form = event.currentTarget
    setSending(true)
    const text = new FormData(form).get('text')
    setWrong(undefined)
    try {
      const answer = await client.fetch('/api/notes', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text }),
      })
      if (answer.ok) form.reset()
      else setWrong((await answer.json()).error)
    } catch (error) {
      setWrong(sentenceOf(error))
    } finally {
      setSending(false)
    }
  }

  return (
    <section className="card">
      <h1>My notes</h1>
      <form className="line" onSubmit={write}>
        <Field label="A new note" name="text" autoComplete="off" wrong={wrong} />
        <button type="submit" aria-disabled={isSending}>
          Keep it
        </button>
      </form>
      <ul aria-label="Your notes">
        {notes?.map(({ id, text, writtenAt }) => (
          <li key={id}>
            {text} <time dateTime={new Date(writtenAt).toISOString()}>{readTime(writtenAt)}</time>
          </li>
        ))}
      </ul>
      {notes?.length === 0 && (
        <p className="hint">Nothing yet. What you keep here is seen in every tab at once.</p>
      )}
      <p className="live">{live}</p>
    </section>
  )
}

const readTime = (time: string | number) => new Date(time).toLocaleTimeString()

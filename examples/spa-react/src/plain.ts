// The same without a framework.
import { createClient } from '@rusk/client'

export const client = createClient()
client.subscribe(({ status }) => document.body.setAttribute('data-status', status))

export const enter = (login: string, password: string) => client.signIn({ login, password })
export const readNotes = () => client.fetch('/api/notes').then(answer => answer.json())
export const leave = () => client.signOut()

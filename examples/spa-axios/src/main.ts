// Shows the form to whoever is not signed in, and the chat to whoever is; in every tab alike.
import { client } from './client.ts'
import { openEntry } from './entry.ts'
import { elementOf, sentenceOf, tell } from './page.ts'
import { openTalk } from './talk.ts'

const entry = openEntry()
const talk = openTalk()

client.subscribe(state => {
  const user = state.status === 'signed-in' ? state.user : null
  entry.hidden = state.status !== 'signed-out'
  talk.show(user)
  if (state.status === 'unknown') tell(state.error && sentenceOf(state.error))
  else if (user) tell()
  else if (state.status === 'signed-out') {
    if (state.reason === 'ended') tell('Your session has ended. Sign in to go on.')
    if (state.reason === 'signed-out') tell('You are signed out.')
  }
})

elementOf('leave').addEventListener('click', () => {
  client.signOut().catch(error => tell(sentenceOf(error)))
})

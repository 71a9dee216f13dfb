// The script of a page that shows who is signed in and keeps an account of it. The client is there for the test's own hands.
import { createClient } from '../../src/index.ts'

const client = createClient({ delivery: location.hash === '#memory' ? 'memory' : 'cookies' })
const states: string[] = []
const root = document.getElementById('root')

client.subscribe(state => {
  states.push(state.status)
  if (root) root.textContent = state.status === 'signed-in' ? `This is ${state.user.email}` : state.status
})
Object.assign(globalThis, { client, states })

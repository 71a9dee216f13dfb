// The script of a service worker with a client of its own: pages tell it what to fetch, or ask by '' what it
// knows without asking anybody.
import { createClient } from '../../src/index.ts'

const client = createClient()

addEventListener('message', ({ data, ports: [port] }) => {
  const asking = async () => {
    if (data === '') return client.state.status
    const { status } = await client.fetch(String(data))
    return `${status} ${(await client.session())?.email ?? 'nobody'}`
  }
  asking().then(
    answer => port?.postMessage(answer),
    error => port?.postMessage(String(error)),
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { session, user } from '../../test/http/tiny.ts'
import type { Call } from './call.ts'
import { forwardRoute } from './forward.ts'

const callOf = (headers: Readonly<Record<string, string>>): Call => ({
  id: 'c',
  method: 'GET',
  path: '/auth/forward',
  query: '',
  header: name => headers[name],
  address: undefined,
  body: async () => new Uint8Array(),
})

/** What the route asks and says about a call of somebody with this address. */
function open(email: string) {
  const methods: string[] = []
  const warned: object[] = []
  const { answer } = forwardRoute({
    whoCalls: async ({ method }) => {
      methods.push(method)
      return { done: { user: { ...user, email }, session, accessEndsAt: 0 }, tokens: {}, subject: user.id }
    },
    signIn: undefined,
    log: { warn: fields => warned.push(fields) },
  })
  return { methods, warned, ask: (headers = {}) => answer(callOf(headers)) }
}

test('no address is told, whatever it is: nobody has proved it', async () => {
  const { headers } = await open('ada@example.com').ask()
  assert.deepEqual(headers, { 'Remote-User': 'u1', 'Remote-Session': 's1' })
})

test('a proxy that does not tell the method is told of once', async () => {
  const { ask, methods, warned } = open('ada@example.com')
  await ask({ 'x-original-method': 'GET' })
  assert.equal(warned.length, 0)
  await ask()
  await ask()
  assert.deepEqual([methods, warned.length], [['GET', '', ''], 1])
})

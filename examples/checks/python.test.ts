// Services in Python that check Rusk's tokens, each as people would write it, against a real Rusk.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { start } from './program.ts'
import { outlive, type Service, statusOf, walk } from './walk.ts'

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Any WSGI server would do: this one comes with Python, and needs threads for a caller that keeps connections. */
const serving = `
import importlib, sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server
class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
module, name = sys.argv[1:]
server = make_server('127.0.0.1', 0, getattr(importlib.import_module(module), name), Server)
print(f'http://127.0.0.1:{server.server_port}')
server.serve_forever()
`

const wsgi = (module: string, name: string): Service => ({
  command: process.env.PYTHON ?? '/usr/bin/python3',
  args: ['-c', serving, module, name],
  cwd: folder('.'),
  env: { PYTHONPATH: folder('../fastapi-service') },
})

const flask = wsgi('flask_app', 'app')

// [sentence, service]
const services: [string, Service][] = [
  ['Flask', flask],
  ['Django REST framework', wsgi('django_rest', 'application')],
]

// Most of what these do is to wait.
describe('in Python', { concurrency: 2 }, () => {
  for (const [sentence, service] of services) {
    for (const algorithm of ['ES256', 'EdDSA']) {
      test(`${sentence} greets whoever is signed in, by ${algorithm}, until the token is over`, async t => {
        const env = { RUSK_JWT_ALGORITHM: algorithm, RUSK_SESSION_ACCESS: '6s' }
        const { service: program, person } = await walk(t, service, { env })
        await person.signOut()
        assert.equal(await statusOf(program, person.accessToken), 200, 'it has not heard of the end')
        await outlive(person.accessToken)
        assert.equal(await statusOf(program, person.accessToken), 401)
        assert.doesNotMatch(program.printed(), /Traceback/)
      })
    }

    test(`${sentence} says that it cannot tell, when it has never reached Rusk`, async t => {
      const { rusk, person } = await walk(t, service)
      const env = { ...service.env, RUSK_URL: 'http://127.0.0.1:9', RUSK_SERVICE_KEY: rusk.serviceKey }
      const lost = await start(t, { ...service, env })
      for (const time of ['first', 'second'])
        assert.equal(await statusOf(lost, person.accessToken), 503, `the ${time} time`)
    })
  }

  test('Flask that asks Rusk refuses with the very next call', async t => {
    const { service, person } = await walk(t, flask)
    assert.equal(await statusOf(service, person.accessToken, 'DELETE'), 200)
    assert.equal(await statusOf(service, 'made up', 'DELETE'), 401)
    await person.signOut()
    assert.equal(await statusOf(service, person.accessToken, 'DELETE'), 401)
  })
})

// How the service in Python asks Rusk: ask.py beside somebody who answers slowly, too much, nothing of Rusk's, or sends
// elsewhere.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { drip, play } from '../checks/played.ts'
import { command, folder } from './running.ts'

const run = promisify(execFile)

/** Asks each address, and has one second for each. */
const asking = `
import json, sys, time
from ask import ask
for url in sys.argv[1:]:
    begun = time.monotonic()
    try:
        said = ask(url, 1, {'after': 'a&b'}, {'Authorization': 'Bearer secret'})
    except OSError as error:
        said = str(error)
    print(json.dumps([said, time.monotonic() - begun]))
`

const document = JSON.stringify({ keys: [] })

// [sentence, how it is answered, what comes of it]
const rows: [string, (response: ServerResponse) => unknown, RegExp][] = [
  ['a good answer', response => response.end(document), /^\{"keys":\[\]\}$/],
  ['no answer', () => undefined, /no answer in time/],
  ['a head that drips', response => drip(response, 'H'), /no answer in time/],
  [
    'a head that goes on and on',
    response => {
      response.socket?.write('HTTP/1.1 200 OK\r\nX-Pad: ')
      return drip(response, 'a')
    },
    /no answer in time/,
  ],
  [
    'a body that drips',
    response => {
      response.flushHeaders()
      response.socket?.write('100000\r\n')
      return drip(response)
    },
    /no answer in time/,
  ],
  ['as much as is read', response => response.end(document.padEnd(2 ** 20)), /^\{"keys":\[\]\}$/],
  [
    'more than is read, and more to come',
    response => response.write(document.padEnd(2 ** 20 + 1)),
    /answered 200 with 1048577/,
  ],
  ['no document', response => response.end('<html>'), /Expecting value/],
  ['a document that is nested without end', response => response.end('['.repeat(2 ** 19)), /recursion/],
  ['a closed door', response => response.writeHead(401).end(document), /answered 401/],
  ['where else to ask', response => response.writeHead(302, { location: '/0' }).end(), /answered 302/],
]

test('an address without http before it is said to be one', async () => {
  const urls = ['127.0.0.1:8000/a', 'localhost:8000/a', 'ftp://localhost/a']
  const { stdout } = await run(command, ['-c', asking, ...urls], {
    cwd: folder,
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  })
  const said = stdout
    .trim()
    .split('\n')
    .map(line => String(JSON.parse(line)[0]))
  assert.deepEqual(
    said,
    urls.map(url => `GET ${url}: write where Rusk is with http:// or https:// before it`),
  )
})

test('an answer is all there in time and of some size, or there is none; nobody else is asked', async t => {
  const asked: IncomingMessage[] = []
  const url = await play(t, (request, response) => {
    asked.push(request)
    rows[Number(/^\/(\d+)/.exec(request.url ?? '')?.[1])]?.[1](response)
  })
  let proxied = 0
  const proxy = await play(t, (_, response) => {
    proxied++
    response.end(document)
  })
  const urls = rows.map((_, i) => `${url}/${i}`)
  const env = { PYTHONDONTWRITEBYTECODE: '1', http_proxy: proxy }
  const { stdout } = await run(command, ['-c', asking, ...urls], { cwd: folder, env, timeout: 30_000 })
  const came = stdout.trim().split('\n')
  assert.equal(came.length, rows.length)
  for (const [i, [sentence, , wanted]] of rows.entries()) {
    const [said, seconds] = JSON.parse(came[i] ?? '')
    assert.match(typeof said === 'string' ? said : JSON.stringify(said), wanted, sentence)
    assert.ok(seconds < 1.5, `${sentence}: ${seconds} s`)
  }
  assert.deepEqual(
    asked.map(request => request.url?.split('&')[0]),
    rows.map((_, i) => `/${i}?after=a%26b`),
  )
  assert.equal(
    new Set(asked.map(request => request.url?.split('&')[1])).size,
    rows.length,
    'no two are alike',
  )
  assert.deepEqual([...new Set(asked.map(request => request.headers.authorization))], ['Bearer secret'])
  assert.equal(proxied, 0)
})

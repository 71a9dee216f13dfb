// Lines as they come out, from whatever goes in.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLog, prettyTo } from './log.ts'

/** What is written when one thing is logged, as JSON or as text. */
function written(pretty: boolean, fields: object, text = 'said'): string {
  const lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  openLog('info', pretty, pretty ? prettyTo(stream, false) : stream).warn(fields, text)
  return lines.join('')
}

const hostile = 'a\u001b[31mb\u009b1mc\u202ed\re\u2028f\\u001bg\u007f'

test('a line of JSON is JSON, and says what was said', () => {
  const line = JSON.parse(written(false, { browser: hostile }))
  assert.deepEqual([line.level, line.msg, line.browser], ['warn', 'said', hostile])
  assert.match(line.time, /^\d{4}-\d\d-\d\dT.*Z$/)
})

test('nothing that a terminal obeys comes through, as JSON or as text', () => {
  for (const pretty of [false, true]) {
    const out = written(pretty, { browser: hostile }, `hello ${hostile}`)
    assert.doesNotMatch(out.replaceAll('\n', ''), /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u)
    assert.match(out, /a\\u001b\[31mb/)
  }
})

test('what is called like a secret stays out, up to two levels down', () => {
  const secret = 'hush'
  const fields = {
    password: secret,
    headers: { cookie: secret, authorization: secret, 'set-cookie': secret },
    call: { input: { password: secret, token: secret } },
  }
  for (const pretty of [false, true]) {
    const out = written(pretty, fields)
    assert.doesNotMatch(out, /hush/)
    assert.match(out, /not logged/)
  }
})

test('text is one line to a record, whatever its fields hold', () => {
  const fields = { browser: hostile, call: { status: 200, path: '/auth', more: ['a\nb', 'c'] } }
  assert.match(written(true, fields), /^[^\n]*said[^\n]*"status":200[^\n]*\n$/)
})

test('an error is told with its stack and its cause', () => {
  const error = new Error('outer', { cause: new Error('inner') })
  for (const pretty of [false, true])
    assert.match(written(pretty, { error }), /outer[\s\S]*inner[\s\S]*log\.test\.ts/)
})

test('what is below the level is not written', () => {
  const lines: string[] = []
  openLog('error', false, { write: line => void lines.push(line) }).warn({}, 'said')
  assert.deepEqual(lines, [])
})

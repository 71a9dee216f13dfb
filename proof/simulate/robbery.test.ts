import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawPerson } from './person.ts'
import { openQueue } from './queue.ts'
import { seeded } from './random.ts'
import { Robbery } from './robbery.ts'
import { rules } from './rules.ts'
import { thieves } from './thieves.ts'

test('a thief leaves a jar whose session has ended, and takes the next', () => {
  const [strict] = rules
  assert.ok(strict)
  const server = strict.open()
  const robbery = new Robbery(
    { thief: thieves[0], copiesAt: 0, random: seeded(1) },
    drawPerson(seeded(2)),
    server,
    openQueue(),
  )
  const ended = server.signIn({}, 0)
  const next = server.signIn(ended, 0)
  robbery.copy({}, 1000)
  robbery.copy(ended, 1000)
  assert.equal(robbery.isOver(), false)
  robbery.copy(next, 1000)
  assert.equal(robbery.isOver(), false)
  server.signIn(next, 0)
  assert.deepEqual([robbery.isOver(), robbery.life], [true, 0])
})

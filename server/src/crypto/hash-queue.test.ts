import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHashQueue, type HashJob, HashQueueFull } from './hash-queue.ts'

/** Jobs that end when they are told to, and the order in which they began. */
function bench(concurrency: number, places: number) {
  const inTurn = createHashQueue({ concurrency, places })
  const began: string[] = []
  const ends: (() => void)[] = []
  const ask = (kind: HashJob, name: string) =>
    inTurn(kind, () => {
      began.push(name)
      return new Promise<string>(resolve => ends.push(() => resolve(name)))
    })
  const settle = () => new Promise(resolve => setImmediate(resolve))
  const endOne = async () => {
    ends.shift()?.()
    await settle()
  }
  return { ask, began, endOne, settle }
}

test('no more run at once than may', async () => {
  const { ask, began, endOne, settle } = bench(2, 8)
  const all = ['a', 'b', 'c', 'd'].map(name => ask('check', name))
  await settle()
  assert.deepEqual(began, ['a', 'b'])
  for (let n = 0; n < 4; n++) await endOne()
  assert.deepEqual(await Promise.all(all), ['a', 'b', 'c', 'd'])
})

test('both kinds take turns, each in its own order', async () => {
  const { ask, began, endOne, settle } = bench(1, 16)
  for (const name of ['w1', 'w2', 'w3', 'w4']) ask('write', name)
  for (const name of ['c1', 'c2']) ask('check', name)
  await settle()
  for (let n = 0; n < 6; n++) await endOne()
  assert.deepEqual(began, ['w1', 'c1', 'w2', 'c2', 'w3', 'w4'])
})

test('new records take half of the places at most, so that people can still sign in', async () => {
  const { ask, settle } = bench(1, 8)
  for (let n = 0; n < 5; n++) ask('write', `w${n}`)
  await settle()
  await assert.rejects(ask('write', 'one too many'), HashQueueFull)
  for (let n = 0; n < 4; n++) ask('check', `c${n}`)
  await settle()
  await assert.rejects(ask('check', 'one too many'), HashQueueFull)
})

test('beyond the places the answer is "not now", with when, and what waits is served', async () => {
  const { ask, began, endOne, settle } = bench(1, 2)
  const served = ['a', 'b', 'c'].map(name => ask('check', name))
  await settle()
  await assert.rejects(ask('check', 'd'), (error: unknown) => {
    assert.ok(error instanceof HashQueueFull && error instanceof Error)
    assert.ok(Number.isInteger(error.retryAfter) && error.retryAfter >= 1)
    return true
  })
  for (let n = 0; n < 3; n++) await endOne()
  assert.deepEqual(await Promise.all(served), ['a', 'b', 'c'])
  assert.deepEqual(began, ['a', 'b', 'c'])
})

test('a job that fails gives its place to the next', async () => {
  const inTurn = createHashQueue({ concurrency: 1, places: 2 })
  const failing = inTurn('check', () => Promise.reject(new Error('no memory')))
  const next = inTurn('write', () => Promise.resolve('done'))
  await assert.rejects(failing, /no memory/)
  assert.equal(await next, 'done')
  assert.equal(await inTurn('check', () => Promise.resolve('again')), 'again')
})

test('a job that throws before it begins gives its place to the next too', async () => {
  const inTurn = createHashQueue({ concurrency: 1, places: 2 })
  await assert.rejects(
    inTurn('check', () => {
      throw new Error('at once')
    }),
    /at once/,
  )
  assert.equal(await inTurn('check', () => Promise.resolve('again')), 'again')
})

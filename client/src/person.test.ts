// Another person signs in without a word to this page: on a hosted page, in another app of this origin. What the page's calls
// do until it has noticed, and that none of them is made as the next person. In Node, against a real app with Rusk in it; time
// is moved for page and server alike.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ada, bob } from '../test/app.ts'
import { openRoom, type Room } from '../test/room.ts'

type Delivery = 'cookies' | 'memory'
const deliveries: readonly Delivery[] = ['cookies', 'memory']

type Page = Room & {
  /** Bob signs in by a call that is none of a client's. */
  bobComes(): Promise<void>
  /** The access token has run out, and the page knows. */
  sleep(): void
  /** A call that the page makes for whoever it takes to be there: its status, or the code it rejects with. */
  pay(): Promise<unknown>
  /** As whom the calls came; null: they were refused. */
  payers(): readonly (string | null)[]
}

/** Ada is signed in, and shown; Bob has an account. */
async function openPage(t: TestContext, delivery: Delivery): Promise<Page> {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const room = await openRoom(t, { client: { delivery } })
  const { app, browsing, client, proxy } = room
  await client.signUp(bob)
  await client.signIn({ login: ada.email, password: ada.password })
  client.subscribe(() => {})
  browsing.forget()
  return {
    ...room,
    async bobComes() {
      const answer = await fetch(`${proxy.url}/auth/sign-in`, {
        method: 'POST',
        credentials: 'include',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ login: bob.email, password: bob.password, delivery }),
      })
      assert.equal(answer.status, 200)
    },
    sleep: () => t.mock.timers.setTime(Date.now() + 3_600_000),
    pay: () =>
      client.fetch(`${proxy.url}/api/pay`, { method: 'POST', body: 'by Ada' }).then(
        ({ status }) => status,
        error => error.code ?? error,
      ),
    payers: () => app.seen.map(({ email }) => email),
  }
}

const emailIn = ({ client: { state } }: Room): unknown =>
  state.status === 'signed-in' ? Object(state.user).email : state.status

/** What is under way between page, tabs and server has happened. */
const settled = () => new Promise(resolve => setTimeout(resolve, 100))

// [sentence, what brings it about, as whom its calls come before the page knows of Bob]
const renewals: [string, (page: Page) => unknown, readonly null[]][] = [
  ['the token has run out', ({ sleep }) => sleep(), []],
  [
    'a call is refused',
    ({ app, expire }) => {
      expire()
      app.answer('POST /api/pay', 401)
    },
    [null],
  ],
]

for (const delivery of deliveries) {
  for (const [sentence, wear, refused] of renewals) {
    test(`${delivery}: a renewal that may be another person’s lets no call through until it is known whose: ${sentence}`, async t => {
      const page = await openPage(t, delivery)
      const { app, browsing, pay, payers } = page
      await page.bobComes()
      wear(page)
      app.answer('GET /auth/session', 503)
      assert.equal(await pay(), 'unavailable')
      app.answer('POST /api/pay', undefined)
      assert.equal(await pay(), 'unavailable')
      browsing.fire('online')
      assert.equal(await pay(), 'unavailable', 'asked again, and undecided again')
      assert.deepEqual(payers(), refused)
      assert.equal(emailIn(page), ada.email)

      app.answer('GET /auth/session', undefined)
      browsing.fire('online')
      assert.equal(await pay(), 'signed_in_anew')
      assert.deepEqual(payers(), refused)
      assert.equal(emailIn(page), bob.email)
      assert.equal(await pay(), 200)
      assert.deepEqual(payers(), [...refused, bob.email])
    })

    test(`${delivery}: a call waits while it is being asked whose the renewal is: ${sentence}`, async t => {
      const page = await openPage(t, delivery)
      const { app, proxy, pay, payers } = page
      await page.bobComes()
      wear(page)
      const held = proxy.hold('GET /auth/session')
      const first = pay()
      await held.answered
      app.answer('POST /api/pay', undefined)
      const second = pay()
      await settled()
      assert.deepEqual(payers(), refused)
      held.release()
      const outcomes = await Promise.all([first, second])
      assert.deepEqual(outcomes, [refused.length ? 401 : 'signed_in_anew', 'signed_in_anew'])
      assert.deepEqual(payers(), refused)
      assert.equal(emailIn(page), bob.email)
    })
  }

  test(`${delivery}: a renewal for the same person lets the waiting calls through`, async t => {
    const page = await openPage(t, delivery)
    const { proxy, pay, payers, refreshes } = page
    page.sleep()
    const held = proxy.hold('GET /auth/session')
    const calls = [pay(), pay()]
    await held.answered
    await settled()
    assert.deepEqual(payers(), [])
    held.release()
    assert.deepEqual(await Promise.all(calls), [200, 200])
    assert.deepEqual(payers(), [ada.email, ada.email])
    assert.deepEqual(refreshes(), [200])
  })

  test(`${delivery}: a call of before is not repeated as the person of whom the page has heard since`, async t => {
    const page = await openPage(t, delivery)
    const { app, browsing, proxy, pay, payers } = page
    const held = proxy.hold('POST /api/pay')
    app.answer('POST /api/pay', 401)
    const paid = pay()
    await held.answered
    app.answer('POST /api/pay', undefined)
    await page.bobComes()
    // In memory Ada's token is good until it has run out.
    if (delivery === 'memory') page.sleep()
    browsing.fire('visibilitychange')
    while (emailIn(page) !== bob.email) await settled()
    held.release()
    assert.equal(await paid, 401)
    assert.deepEqual(payers(), [null])
  })
}

// [sentence, who signs in in between, whom the page has then, how often is renewed in all]
const others: [string, (page: Page) => unknown, string, number][] = [
  ['one of the same person’s is taken for one’s own', () => {}, ada.email, 1],
  ['one of another person’s is a reason to ask', ({ bobComes }) => bobComes(), bob.email, 2],
]

for (const [sentence, come, whom, times] of others) {
  test(`of other tabs’ renewals ${sentence}`, async t => {
    const page = await openPage(t, 'cookies')
    await come(page)
    const other = page.tab()
    await other.session()
    page.sleep()
    await other.session()
    while (emailIn(page) !== whom) await settled()
    await settled()
    assert.deepEqual(page.refreshes(), Array(times).fill(200))
    assert.equal(await page.pay(), 200)
    assert.equal(page.refreshes().length, times)
    assert.deepEqual(page.payers(), [whom])
  })
}

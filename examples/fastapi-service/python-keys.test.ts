// What the service in Python does with keys while Rusk is slow or away: check.py in the chat service.
import { test } from 'node:test'
import { publishing } from '../checks/forged.ts'
import { holdUpNobody, useOldKeys } from '../checks/made-up.ts'
import { playKeys } from '../checks/played.ts'
import { start } from '../checks/program.ts'
import { secret } from '../checks/rusk.ts'
import { command, folder, openChat, tellHistory } from './running.ts'

const news = { cursor: 'a', ended: [], not_before: 0, keys: [], remember: 86_400 }

/** Five minutes and an hour pass more quickly. */
const hurried = `
import check, uvicorn
check.FRESH_FOR, check.USED_FOR = 1, 4
uvicorn.run('app:app', port=0)
`

test('made-up names of keys hold up nobody, and make no flood of questions', async t => {
  const issuer = publishing()
  const rusk = await playKeys(t, [issuer.jwk], news)
  const chat = await openChat(t, { url: rusk.url, serviceKey: secret() })
  await holdUpNobody(rusk, issuer, async token => (await tellHistory(chat, token)).status)
})

test('keys are had anew, and used for a while when they cannot be had', async t => {
  const issuer = publishing()
  const rusk = await playKeys(t, [issuer.jwk], news)
  const env = { RUSK_URL: rusk.url, RUSK_SERVICE_KEY: secret() }
  const chat = await start(t, { command, args: ['-c', hurried], cwd: folder, env })
  await useOldKeys(rusk, issuer, async token => (await tellHistory(chat, token)).status)
})

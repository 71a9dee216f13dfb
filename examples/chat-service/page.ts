// Serves the page in development, its script made of page/main.ts. A real one is built once and lies on any static server.

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { build } from 'rolldown'

const folder = new URL('page/', import.meta.url)

async function bundle(): Promise<string> {
  const { output } = await build({
    input: fileURLToPath(new URL('main.ts', folder)),
    write: false,
    platform: 'browser',
  })
  return output[0].code
}

/** Where the page finds the two. */
export type Origins = { readonly rusk: string; readonly chat: string }

export async function openPages({ rusk, chat }: Origins): Promise<Hono> {
  const [html, style, script] = await Promise.all([
    readFile(new URL('index.html', folder), 'utf8'),
    readFile(new URL('style.css', folder), 'utf8'),
    bundle(),
  ])
  const filled = html.replace('RUSK', rusk).replace('CHAT', chat)
  return new Hono()
    .use(
      secureHeaders({
        contentSecurityPolicy: {
          defaultSrc: ["'self'"],
          imgSrc: ['data:'],
          // To these two the page may speak, and to nobody else whatever a script says.
          connectSrc: [rusk, chat],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          frameAncestors: ["'none'"],
        },
      }),
    )
    .get('/', c => c.html(filled))
    .get('/style.css', c => c.body(style, 200, { 'Content-Type': 'text/css' }))
    .get('/main.js', c => c.body(script, 200, { 'Content-Type': 'text/javascript' }))
}

if (import.meta.main) {
  const { RUSK_URL: rusk = 'http://127.0.0.1:8000', CHAT_URL: chat = 'http://127.0.0.1:8001' } = process.env
  const { fetch } = await openPages({ rusk, chat })
  serve({ fetch, hostname: '127.0.0.1', port: 5173 }, () => console.log('http://127.0.0.1:5173'))
}

// The chat as a program of its own: reads its settings, makes the verifier, listens. What the chat does is in chat.ts.
import { serve } from '@hono/node-server'
import { createVerifier, Misuse, type Verifier } from '@rusk/verify'
import { openChat } from './chat.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** `https://a.example,https://b.example`. */
const readList = (text = ''): readonly string[] =>
  text
    .split(',')
    .map(each => each.trim())
    .filter(each => each !== '')

/** What is blank sets nothing. Throws `Misuse`, with every finding. */
export function openService(env: Environment): {
  readonly app: ReturnType<typeof openChat>
  readonly verifier: Verifier
} {
  const origins = readList(env.ALLOWED_ORIGINS)
  const verifier = createVerifier({
    issuer: env.RUSK_URL || 'http://127.0.0.1:8000',
    url: env.RUSK_INTERNAL_URL || undefined,
    // Without it tokens are checked by the keys that Rusk publishes.
    key: env.JWT_SECRET_KEY || undefined,
    serviceKey: env.RUSK_SERVICE_KEY || undefined,
    revocation: env.REVOCATION === 'none' ? 'none' : undefined,
    // Pages elsewhere hold the token in memory: a cookie is nobody's pass here.
    cookie: false,
    csrf: env.CSRF_COOKIE ? { cookie: env.CSRF_COOKIE, header: 'X-CSRFToken' } : undefined,
    origins,
  })
  return { app: openChat(verifier, origins), verifier }
}

function start(): void {
  const { app, verifier } = openService(process.env)
  const { HOST: hostname = '127.0.0.1', PORT: port = '8001' } = process.env
  const server = serve({ fetch: app.fetch, hostname, port: Number(port) }, ({ port }) =>
    console.log(`chat listening on http://${hostname}:${port}`),
  )
  // Not waited for: while Rusk is away callers are told so, and it goes on by itself.
  verifier.ready().catch(() => undefined)
  process.once('SIGTERM', () => {
    verifier.close()
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
}

if (import.meta.main) {
  try {
    start()
  } catch (error) {
    if (!(error instanceof Misuse)) throw error
    console.error(error.message)
    process.exitCode = 2
  }
}

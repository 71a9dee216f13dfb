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

/** What is not the verifier's to judge. Throws `Misuse`. */
function judge({ REVOCATION = '', PORT = '' }: Environment): void {
  const findings = [
    ...(['', 'none'].includes(REVOCATION) ? [] : ['REVOCATION: none, or leave it out']),
    ...(/^\d{0,5}$/.test(PORT) && Number(PORT) < 65_536 ? [] : ['PORT: a number from 0 to 65535']),
  ]
  if (findings.length > 0) throw new Misuse(findings)
}

/** What is blank sets nothing. Throws `Misuse`, with every finding of the verifier's. */
export function openService(env: Environment): {
  readonly app: ReturnType<typeof openChat>
  readonly verifier: Verifier
} {
  judge(env)
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
  const hostname = process.env.HOST || '127.0.0.1'
  const port = Number(process.env.PORT || 8001)
  const server = serve({ fetch: app.fetch, hostname, port }, ({ port }) =>
    console.log(`chat listening on http://${hostname}:${port}`),
  )
  server.on('error', ({ message }: Error) => {
    console.error(`The chat cannot listen: ${message}. Stop what listens there, or give another HOST or PORT`)
    process.exitCode = 2
    verifier.close()
  })
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
    console.error(['The chat cannot start with these settings:', ...error.findings].join('\n- '))
    process.exitCode = 2
  }
}

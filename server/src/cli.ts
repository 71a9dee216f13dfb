// The command line: which commands there are, what they take, and which exit code an outcome is. What they do stands in
// cli/, loaded when it is asked for.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { RotateFlags } from './cli/keys.ts'
import type { Globals } from './cli/open.ts'
import { say, sayFindings } from './cli/output.ts'
import type { RevokeFlags } from './cli/sessions.ts'
import type { NewUserFlags } from './cli/users.ts'
import { optionRows } from './config.ts'
import { Fault, Misuse } from './core/fault.ts'

const codes = { fine: 0, fault: 1, misuse: 2 } as const

/** Runs one command; resolves with the exit code: 0 fine, 1 fault, 2 misuse. `args` without node and script. */
export async function runCli(args: readonly string[]): Promise<number> {
  let code: number = codes.fine
  try {
    const program = describeProgram(await summariesFor(args), failed => {
      code = failed
    })
    if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
      process.stdout.write(`${(await import('./index.ts')).version}\n`)
      return code
    }
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    return sayWhy(error)
  }
}

type Summaries = readonly { readonly name: string; readonly summary: string }[]

/** The dialects, for help alone: loading them takes longer than everything else that help needs. */
async function summariesFor(args: readonly string[]): Promise<Summaries> {
  if (!args.includes('--help') && !args.includes('-h')) return []
  return Object.values((await import('./dialects/index.ts')).dialects)
}

function sayWhy(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? codes.fine : codes.misuse
  if (error instanceof Misuse) {
    sayFindings('error', error.findings)
    return codes.misuse
  }
  if (error instanceof Fault) {
    const cause = error.cause instanceof Error ? error.cause.message : ''
    // Whoever wrote the message may have told the cause already.
    say(`✗ ${error.message}${error.message.includes(cause) ? '' : ` (${cause})`}`)
  } else say(error instanceof Error && error.stack ? error.stack : String(error))
  return codes.fault
}

function readCount(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Write a whole number.')
  return Number(text)
}

/** `fail` is told the exit code of a command that ends well and yet has bad news. */
function describeProgram(dialects: Summaries, fail: (code: number) => void): Command {
  const program = new Command('rusk')
    .description(
      'A sign-in server for single-page apps: tokens in HttpOnly cookies, in the dialect your front end speaks.',
    )
    .option('--env-file <file>', 'read variables from this file instead of .env')
    .option('--config <file>', 'read options from this JSON file')
    .option('--database <url>', 'sqlite:PATH or postgres://… (default sqlite:./rusk.db)')
    .option('--json', 'print data as JSON')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .helpCommand(false)
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      examples([
        'rusk serve --dialect fastapi',
        'rusk users create --username jack --email jack@example.com',
        'rusk doctor',
        'rusk --version',
      ]),
    )
  addServer(program, dialects, fail)
  addUsers(program)
  addSessions(program)
  addKeys(program)
  return program
}

type ServeFlags = {
  readonly host?: string
  readonly port?: string
  readonly prefix?: string
  readonly pages?: boolean
}

/** The dialects, and the table of options, as far as they are set by variables. */
function manual(dialects: Summaries): string {
  const longest = Math.max(...dialects.map(({ name }) => name.length))
  const spoken = dialects.map(({ name, summary }) => `  ${name.padEnd(longest)}  ${summary}`)
  const rows = optionRows().map(row => {
    const variables = row.variables.join(', ') + (row.fromFile ? ' (or … _FILE)' : '')
    return `  ${variables}\n      ${row.sentence}\n      ${row.type}; default: ${row.default}`
  })
  return `
Dialects:
${spoken.join('\n')}

The command line wins over the environment, that over .env, that over the --config file ({"session": {"grace": "2m"}}).
An option's variable is RUSK_ and its name; the others are what your .env may have already:

${rows.join('\n')}
${examples([
  'rusk serve --dialect fastapi --port 8000',
  'DATABASE_URL=postgres://rusk@localhost/rusk rusk serve',
  'ENVIRONMENT=production RUSK_URL=https://auth.example.org rusk serve --host 0.0.0.0',
])}`
}

const examples = (lines: readonly string[]): string =>
  `\nExamples:\n${lines.map(line => `  ${line}`).join('\n')}`

/** For what goes by a dialect's rules: beside a server that was given it on its own command line. */
const withDialect = (command: Command): Command =>
  command.option('--dialect <names>', 'go by these dialects, as serve with the same option would')

const globalsOf = (command: Command): Globals => command.optsWithGlobals<Globals>()

function addServer(program: Command, dialects: Summaries, fail: (code: number) => void): void {
  program
    .command('serve')
    .description('listen; in development the database is made and brought forward first')
    .option('--dialect <names>', 'dialects to speak, comma-separated (default native)')
    .option('--host <address>', 'address to listen on (default 127.0.0.1)')
    .option('--port <number>', 'port to listen on, 0 for a free one (default 8000)')
    .option('--prefix <path>', 'path before all routes')
    .option('--pages', 'serve pages for people too (default in development)')
    .option('--no-pages', 'serve none (default in production)')
    .addHelpText('after', () => manual(dialects))
    .action(async ({ pages, ...flags }: ServeFlags, command: Command) => {
      const switched = pages === undefined ? {} : { pages: String(pages) }
      await (await import('./cli/serve.ts')).serve(globalsOf(command), { ...flags, ...switched })
    })
  program
    .command('migrate')
    .description("bring the database's schema forward")
    .action(async (_flags, command: Command) => (await import('./cli/schema.ts')).migrate(globalsOf(command)))
  withDialect(program.command('doctor'))
    .description('say what is wrong or risky about the configuration as serve would read it')
    .action(async (_flags, command: Command) => {
      const healthy = await (await import('./cli/doctor.ts')).doctor(globalsOf(command))
      if (!healthy) fail(codes.misuse)
    })
  withDialect(program.command('openapi'))
    .description('print the OpenAPI document')
    .action(async (_flags, command: Command) =>
      (await import('./cli/schema.ts')).printOpenapi(globalsOf(command)),
    )
}

function addUsers(program: Command): void {
  const users = program.command('users').description('list, make and disable accounts').helpCommand(false)
  users
    .command('list')
    .description('by number, a hundred at a time')
    .option('--after <number>', 'begin behind this number', readCount, 0)
    .option('--limit <count>', 'at most so many', readCount, 100)
    .action(async (page: { after: number; limit: number }, command: Command) =>
      (await import('./cli/users.ts')).listUsers(globalsOf(command), page),
    )
  withDialect(users.command('create'))
    .description('make an account; the password is asked for, or comes from standard input or a file')
    .requiredOption('--email <address>', 'e-mail address')
    .option('--username <name>', 'username')
    .option('--name <text>', 'full name')
    .option('--password-stdin', 'read the password from standard input')
    .option('--password-file <file>', 'read the password from this file')
    .option('--skip-policy', "don't hold the password to the policy")
    .option('--superuser', 'mark the account as superuser')
    .addHelpText(
      'after',
      examples([
        'rusk users create --username jack --email jack@example.com',
        'echo test | rusk users create --username test --email test@example.com --password-stdin --skip-policy',
      ]),
    )
    .action(async (flags: NewUserFlags, command: Command) =>
      (await import('./cli/users.ts')).createUser(globalsOf(command), flags),
    )
  const switches = [
    ['disable', 'end every session of a user and let them in no more', false],
    ['enable', 'let a disabled user in again', true],
  ] as const
  for (const [name, description, active] of switches) {
    users
      .command(name)
      .description(description)
      .argument('<user>', 'e-mail address, username, number or id')
      .action(async (user: string, _flags, command: Command) =>
        (await import('./cli/users.ts')).switchUser(globalsOf(command), user, active),
      )
  }
}

function addSessions(program: Command): void {
  const sessions = program.command('sessions').description('list and end sessions').helpCommand(false)
  sessions
    .command('list')
    .description('the live ones, the newest first')
    .option('--user <user>', 'of this user only: e-mail address, username, number or id')
    .option('--limit <count>', 'at most so many', readCount, 100)
    .action(async (flags: { user?: string; limit: number }, command: Command) =>
      (await import('./cli/sessions.ts')).listSessions(globalsOf(command), flags),
    )
  sessions
    .command('revoke')
    .description('end a session, all of a user, or all that are older than a restore')
    .argument('[id]', 'the session')
    .option('--user <user>', 'all sessions of this user')
    .option(
      '--opened-before <time>',
      'all sessions of everybody that were opened before then: a time as 2026-01-02T03:04:05Z, or now. For use after a ' +
        'restore, which brings sessions back that had ended since the copy was made',
    )
    .action(async (id: string | undefined, flags: RevokeFlags, command: Command) =>
      (await import('./cli/sessions.ts')).revokeSession(globalsOf(command), id, flags),
    )
}

function addKeys(program: Command): void {
  const keys = program.command('keys').description('list and rotate keys').helpCommand(false)
  keys
    .command('list')
    .description('which keys sign, which are still accepted, and when the next ones come')
    .action(async (_flags, command: Command) => (await import('./cli/keys.ts')).listKeys(globalsOf(command)))
  withDialect(keys.command('rotate'))
    .description(
      'put a new key in the place of the present one, which goes on being accepted; servers do so by themselves',
    )
    .addOption(
      new Option(
        '--use <use>',
        'access: signs access tokens, published a quarter of an hour before. refresh: makes refresh and CSRF tokens, ' +
          'read by every server as long before. sealing: the secret that seals the others in the database',
      )
        .choices(['access', 'refresh', 'sealing'])
        .default('access'),
    )
    .option(
      '--now',
      'access: sign with it at once, and go on accepting older keys until their tokens have expired: verifiers that keep ' +
        'the old set refuse new tokens until they look again',
    )
    .option(
      '--compromised',
      'as after a theft: use it at once, and accept no older key any more. access: every access token must be renewed; ' +
        'refresh tokens stay good, so nobody has to sign in again. refresh: every session ends',
    )
    .option(
      '--sign-everybody-out',
      'say that this is meant: with --use refresh --compromised everybody has to sign in anew',
    )
    .addHelpText(
      'after',
      examples([
        'rusk keys rotate',
        'rusk keys rotate --compromised',
        'rusk keys rotate --use refresh',
        'rusk keys rotate --use sealing',
      ]),
    )
    .action(async (flags: RotateFlags, command: Command) =>
      (await import('./cli/keys.ts')).rotateKeys(globalsOf(command), flags),
    )
}

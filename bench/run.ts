// `npm run bench`: what checking a token costs (verify.ts), then start, memory, "who am I" and refresh beside a bare
// node:http handler in the same run. Figures are ratios of CPU time per request (/proc) where the system tells, and of
// requests per second; rounds are interleaved and the best of each counts, because machines are shared.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Load, load, request } from './load.ts'
import { seedSessions } from './seed.ts'
import { measureVerify } from './verify.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const roundLength = 1500
const connections = 32
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

type Process = { readonly pid: number; readonly port: number; readonly ready: number; end(): Promise<void> }

/** Everything that was started, to be ended whatever happens. */
const running: Process[] = []

/** `ready`: milliseconds from spawn to the first answer. */
async function start(
  file: string,
  args: readonly string[],
  env: Record<string, string>,
  path: string,
): Promise<Process> {
  const began = performance.now()
  const child = spawn(process.execPath, [file, ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.setEncoding('utf8')
  for await (const text of child.stdout) {
    out += text
    if (out.includes('listening on')) break
  }
  const port = Number(/listening on http:\/\/[^:]+:(\d+)/.exec(out)?.[1])
  if (!port || child.pid === undefined) throw new Error(`${file} did not start: ${out}`)
  await (await fetch(`http://127.0.0.1:${port}${path}`)).text()
  const ready = performance.now() - began
  const end = async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  }
  const started: Process = { pid: child.pid, port, ready, end }
  running.push(started)
  return started
}

/** Seconds of CPU that a process has used; undefined where /proc does not tell. */
async function cpuOf(pid: number): Promise<number | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

async function memoryOf(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '')
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(status)?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
}

type Figure = { perSecond: number; cpu: number | undefined; p99: number }

async function measure(process: Process, next: Load['next']): Promise<Figure> {
  const before = await cpuOf(process.pid)
  const loaded = await load({ port: process.port, connections, next, for: roundLength })
  const after = await cpuOf(process.pid)
  const unexpected = [...loaded.statuses.keys()].filter(status => status !== '200')
  if (unexpected.length > 0 || loaded.answers === 0)
    throw new Error(`unexpected answers: ${JSON.stringify([...loaded.statuses])}`)
  return {
    perSecond: loaded.answers / loaded.seconds,
    cpu: before === undefined || after === undefined ? undefined : ((after - before) / loaded.answers) * 1e6,
    p99: loaded.latencies[Math.floor(loaded.latencies.length * 0.99)] ?? Number.NaN,
  }
}

const best = (figures: readonly Figure[]): Figure => ({
  perSecond: Math.max(...figures.map(figure => figure.perSecond)),
  cpu: Math.min(...figures.map(figure => figure.cpu ?? Number.NaN)),
  p99: Math.min(...figures.map(figure => figure.p99)),
})

/** Three starts on an empty folder: the fastest, and what it holds when it has answered once. */
async function startFresh(folder: string): Promise<{ ready: number; memory: number | undefined }> {
  const starts = []
  for (const name of ['a', 'b', 'c']) {
    const env = { RUSK_LOG_LEVEL: 'warn', RUSK_DATABASE: `sqlite:${join(folder, name)}.db`, RUSK_PORT: '0' }
    const started = await start(here('../server/bin/rusk.js'), ['serve'], env, '/health')
    starts.push({ ready: started.ready, memory: await memoryOf(started.pid) })
    await started.end()
  }
  return starts.reduce((a, b) => (a.ready < b.ready ? a : b))
}

const folder = await mkdtemp(join(tmpdir(), 'rusk-bench-'))
try {
  const checking = await measureVerify()
  console.table(checking)
  const fresh = await startFresh(folder)
  const database = `sqlite:${join(folder, 'rusk.db')}`
  // More than any machine of this class refreshes in the rounds and the warm-up.
  const refreshesWanted = 25_000 * (rounds + 1)
  process.stderr.write(`seeding ${refreshesWanted} sessions … `)
  const seeded = await seedSessions(database, refreshesWanted)
  process.stderr.write('done\n')

  const env = { RUSK_LOG_LEVEL: 'warn', RUSK_DATABASE: database, RUSK_PORT: '0' }
  const rusk = await start(here('../server/bin/rusk.js'), ['serve'], env, '/health')
  const opened = await fetch(`http://127.0.0.1:${rusk.port}/auth/refresh`, {
    method: 'POST',
    headers: { cookie: seeded.next() },
  })
  const access = /rusk_access=([^;]+)/.exec(opened.headers.getSetCookie().join(' '))?.[1]
  if (!access) throw new Error(`no access token: ${opened.status} ${await opened.text()}`)
  const me = await fetch(`http://127.0.0.1:${rusk.port}/auth/session`, {
    headers: { cookie: `rusk_access=${access}` },
  })
  const meBody = await me.text()
  if (me.status !== 200) throw new Error(`who am I answers ${me.status} ${meBody}`)
  const bare = await start(here('./bare.ts'), [meBody], {}, '/')

  const cookies = `Cookie: rusk_access=${access}`
  const whoAmI = request(['GET /auth/session HTTP/1.1', cookies])
  const plain = request(['GET /auth/session HTTP/1.1', cookies])
  const refresh = () => request(['POST /auth/refresh HTTP/1.1', `Cookie: ${seeded.next()}`])
  const figures: Record<'bare' | 'who am I' | 'refresh', Figure[]> = { bare: [], 'who am I': [], refresh: [] }
  for (let round = 0; round <= rounds; round++) {
    process.stderr.write(`\rround ${round} of ${rounds}${round === 0 ? ' (warm-up)' : '          '}`)
    const measured = {
      bare: await measure(bare, () => plain),
      'who am I': await measure(rusk, () => whoAmI),
      refresh: await measure(rusk, refresh),
    }
    if (round === 0) continue
    for (const what of ['bare', 'who am I', 'refresh'] as const) figures[what].push(measured[what])
  }
  process.stderr.write('\n')
  const busy = await memoryOf(rusk.pid)

  const bareBest = best(figures.bare)
  const number = (value: number | undefined, digits = 0) =>
    value === undefined ? '–' : value.toFixed(digits)
  const rows = (['bare', 'who am I', 'refresh'] as const).map(what => {
    const figure = best(figures[what])
    return {
      what,
      'requests/s': number(figure.perSecond),
      'CPU µs each': number(figure.cpu, 1),
      'p99 ms': number(figure.p99, 1),
      '× bare by CPU': number(figure.cpu && bareBest.cpu ? bareBest.cpu / figure.cpu : undefined, 2),
      '× bare by rate': number(figure.perSecond / bareBest.perSecond, 2),
    }
  })
  console.table(rows)
  const result = {
    node: process.version,
    cores: availableParallelism(),
    'start to first answer, ms': Math.round(fresh.ready),
    'bare node:http start, ms': Math.round(bare.ready),
    'resident idle, MB': fresh.memory && Math.round(fresh.memory),
    'resident after load, MB': busy && Math.round(busy),
    rows,
    'checking access tokens': checking,
  }
  console.table({
    'start to first answer, ms': result['start to first answer, ms'],
    'bare node:http, ms': result['bare node:http start, ms'],
    'resident idle, MB': result['resident idle, MB'],
    'resident after load, MB': result['resident after load, MB'],
  })
  if (process.argv.includes('--keep')) {
    await writeFile(here('./results.json'), `${JSON.stringify(result, null, 2)}\n`)
  }
} finally {
  await Promise.all(running.map(process => process.end()))
  await rm(folder, { recursive: true, force: true })
}

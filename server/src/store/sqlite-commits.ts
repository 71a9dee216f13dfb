// Group commit: commits that arrive in one turn of the event loop share one transaction and one fsync, a savepoint each,
// so that they never share a fate. Knows steps, not what they mean.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Fault } from '../core/fault.ts'
import type { Committed } from './port.ts'
import { code, faultOf, resultOf } from './sqlite-errors.ts'
import type { Step } from './writes.ts'

/** Bounds how long one transaction keeps the event loop, to a few milliseconds. */
const groupSize = 128

/** Milliseconds between tries while another process writes, and in all. */
const busyPause = 10
const busyPatience = 1000

export type Commits = {
  /** Resolves after COMMIT. Rejects with a `Fault`: then nothing of it was written. */
  commit(steps: readonly Step[]): Promise<Committed>
  /** Keeps what arrives waiting while `work` has the connection to itself. */
  alone<T>(work: () => Promise<T>): Promise<T>
  /** Writes what is still waiting; what comes later is refused. */
  close(): void
}

type Waiting = {
  readonly steps: readonly Step[]
  readonly resolve: (outcome: Committed) => void
  readonly reject: (fault: Fault) => void
  /** When it came. */
  readonly at: number
}

/** `prepare` answers with the same prepared statement for the same SQL. */
export function openCommits(database: DatabaseSync, prepare: (sql: string) => StatementSync): Commits {
  const run = (sql: string) => prepare(sql).run()
  let waiting: Waiting[] = []
  let immediate: NodeJS.Immediate | undefined
  let retry: NodeJS.Timeout | undefined
  let held = false
  let closed = false

  function unschedule() {
    clearImmediate(immediate)
    clearTimeout(retry)
    immediate = retry = undefined
  }

  function schedule() {
    if (waiting.length > 0 && !held && !retry) immediate ??= setImmediate(flush)
  }

  function flush() {
    immediate = retry = undefined
    if (held) return
    const failed = begin()
    if (failed !== undefined) {
      putOff(failed)
      return
    }
    const group = waiting.slice(0, groupSize)
    waiting = waiting.slice(groupSize)
    for (const settle of writeGroup(group)) settle()
    schedule()
  }

  /** Why a transaction could not begin, if it could not. */
  function begin(): unknown {
    try {
      run('begin immediate')
      return undefined
    } catch (error) {
      return error
    }
  }

  /** SQLite would wait for another process's write with the event loop: each commit waits its second without it. */
  function putOff(error: unknown) {
    const patient = resultOf(error) === code.busy && !closed
    const since = patient ? Date.now() - busyPatience : Number.POSITIVE_INFINITY
    const late = waiting.filter(one => one.at <= since)
    waiting = waiting.filter(one => one.at > since)
    const fault = abandon(error)
    for (const one of late) one.reject(fault)
    if (waiting.length > 0) retry = setTimeout(flush, busyPause)
  }

  /** How each commit of the group is to be settled; nothing is settled before COMMIT has returned. */
  function writeGroup(group: readonly Waiting[]): (() => void)[] {
    try {
      const settlements = group.map(one => {
        const outcome = attempt(one.steps)
        return outcome instanceof Fault ? () => one.reject(outcome) : () => one.resolve(outcome)
      })
      run('commit')
      return settlements
    } catch (error) {
      const fault = abandon(error)
      return group.map(one => () => one.reject(fault))
    }
  }

  /** After some errors (a full disk) SQLite has rolled back already: https://www.sqlite.org/lang_transaction.html §3. */
  function abandon(error: unknown): Fault {
    try {
      if (database.isTransaction) run('rollback')
    } catch (worse) {
      return faultOf(new AggregateError([error, worse], 'a transaction could not be rolled back'))
    }
    return faultOf(error)
  }

  function attempt(steps: readonly Step[]): Committed | Fault {
    // A statement undoes itself when it fails, and a guard that fails has written nothing: one alone needs no savepoint.
    const alone = steps.length === 1
    if (!alone) run('savepoint one')
    try {
      const numbers = new Map<string, number>()
      const guard = steps.find(step => !write(step, numbers))?.guard
      if (guard !== undefined && !alone) run('rollback to one')
      if (!alone) run('release one')
      return guard === undefined ? { committed: true, numbers } : { committed: false, guard }
    } catch (error) {
      // The whole transaction is gone, and with it the savepoints: everybody's commit has failed.
      if (!database.isTransaction) throw error
      if (!alone) run('rollback to one')
      if (!alone) run('release one')
      return faultOf(error)
    }
  }

  /** False: its guard touched no row. */
  function write(step: Step, numbers: Map<string, number>): boolean {
    const statement = prepare(step.sql)
    if (step.numbers === undefined) {
      const { changes } = statement.run(...step.parameters)
      return step.guard === undefined || changes === 1
    }
    const [row] = statement.all(...step.parameters)
    if (typeof row?.number === 'number') numbers.set(step.numbers, row.number)
    return row !== undefined
  }

  return {
    commit(steps) {
      if (closed) return Promise.reject(new Fault('The store is closed'))
      return new Promise((resolve, reject) => {
        waiting.push({ steps, resolve, reject, at: Date.now() })
        schedule()
      })
    },
    async alone(work) {
      held = true
      try {
        return await work()
      } finally {
        held = false
        schedule()
      }
    },
    close() {
      closed = true
      unschedule()
      while (waiting.length > 0 && !held) flush()
      for (const { reject } of waiting.splice(0)) reject(new Fault('The store is closed'))
      unschedule()
    },
  }
}

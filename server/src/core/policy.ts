// The numbers that decisions read. Every dialect may bring its own; an option that the operator sets wins over both.

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

export type PasswordPolicy = {
  /** In code points. */
  readonly minLength: number
  /** Character classes that must occur. */
  readonly classes: readonly ('upper' | 'lower' | 'digit')[]
  /** Refuse what is in the common-password list. */
  readonly refuseCommon: boolean
  /** Refuse what contains the person's own e-mail address, username or name. */
  readonly refusePersonal: boolean
}

/** `points` attempts in `per` milliseconds. */
export type Rate = { readonly points: number; readonly per: number }

export type Policy = {
  /** How long after a change every number from `previous` up still gets an access token. */
  readonly grace: number
  /** Life of an access token; the jitter shortens it, never lengthens it. */
  readonly access: number
  /** Life of a session that nobody uses. */
  readonly idle: number
  /** Life of a session, used or not. */
  readonly lifetime: number
  /** How far the clocks of two machines may stand apart. */
  readonly skew: number
  readonly password: PasswordPolicy
  readonly rates: {
    readonly signIn: Rate
    /** One IPv6 /64 counts as one network; `address` counts each address by itself. */
    readonly signInBy: 'network' | 'address'
    readonly signUp: Rate
    /** Failures by account; beyond them one try per `accountPause`. */
    readonly account: Rate
    readonly accountPause: number
    /** Failures by account without a success between (SP 800-63B-4 §3.2.2); beyond them one try per `ceilingPause`. */
    readonly ceiling: Rate
    readonly ceilingPause: number
    /** By session. */
    readonly refresh: Rate
    /** Ending other sessions of one's own, by account. */
    readonly end: Rate
    /** Everything else, by network. */
    readonly other: Rate
  }
}

/** No access token lives longer, whoever says so: replaced signing keys are accepted for this long. Services hold tokens to it too. */
export const longestAccess = day

export const defaultPolicy: Policy = {
  grace: 2 * minute,
  access: 10 * minute,
  idle: 14 * day,
  lifetime: 90 * day,
  skew: minute,
  password: { minLength: 8, classes: [], refuseCommon: true, refusePersonal: true },
  rates: {
    signIn: { points: 30, per: minute },
    signInBy: 'network',
    signUp: { points: 200, per: hour },
    account: { points: 10, per: 15 * minute },
    accountPause: 30 * second,
    ceiling: { points: 100, per: 24 * day },
    ceilingPause: 5 * minute,
    refresh: { points: 600, per: minute },
    end: { points: 20, per: 15 * minute },
    other: { points: 120, per: minute },
  },
}

/** What a dialect or an operator sets; everything else stays. */
export type PolicyPatch = Partial<Omit<Policy, 'password' | 'rates'>> & {
  readonly password?: Partial<PasswordPolicy>
  readonly rates?: Partial<Policy['rates']>
}

/** Later patches win. */
export const patchPolicy = (policy: Policy, ...[patch, ...rest]: readonly PolicyPatch[]): Policy =>
  patch === undefined
    ? policy
    : patchPolicy(
        {
          ...policy,
          ...patch,
          password: { ...policy.password, ...patch.password },
          rates: { ...policy.rates, ...patch.rates },
        },
        ...rest,
      )

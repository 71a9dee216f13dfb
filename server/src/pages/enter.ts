// Signing in and signing up: two forms that lead to each other and keep what was typed, but for passwords. Knows neither
// dialects nor what becomes of a sign-in.
import type { PasswordPolicy } from '../core/policy.ts'
import { type Html, html } from '../http/html.ts'
import type { NamedRefusal, Seen, Shown } from '../http/shown.ts'
import {
  type Control,
  carried,
  control,
  nothingWrong,
  summary,
  type Wrongs,
  wrongAt,
  wrongsOf,
} from './form.ts'
import { at, frame, type Stage } from './frame.ts'
import { sayPasswordRules, sayRefusal } from './sentences.ts'
import type { Taken, Traits } from './traits.ts'

/** A link to the other form, which is to lead to the same place. */
function other(stage: Stage, seen: Seen, path: `/${string}`, text: string): Html {
  const asked = seen.fields.return_to
  const query = asked === undefined ? '' : `?${new URLSearchParams({ return_to: asked })}`
  return html`<a href="${at(stage, seen, path)}${query}">${text}</a>`
}

type Form = {
  readonly title: string
  readonly path: `/${string}`
  readonly controls: readonly Control[]
  readonly button: string
  readonly aside: Html | undefined
}

const showForm = (stage: Stage, seen: Seen, form: Form, wrongs: Wrongs): Shown => ({
  html: frame(stage, seen, {
    title: form.title,
    wrong: wrongs.whole !== undefined || wrongs.by.size > 0,
    body: html`${summary(wrongs)}
<form method="post" action="${at(stage, seen, form.path)}" novalidate>
${carried('return_to', seen.fields.return_to)}${form.controls.map(each => control(seen, each, wrongs))}<p class="actions"><button>${form.button}</button></p>
</form>
${form.aside ? html`<p class="aside">${form.aside}</p>` : undefined}`,
  }),
})

export type Entering = {
  readonly showSignIn: (seen: Seen, refusal?: NamedRefusal) => Shown
  readonly showSignUp: (seen: Seen, refusal?: NamedRefusal) => Shown
}

function signInControls({ signUp }: Traits): readonly Control[] {
  const named = signUp === undefined || signUp.username !== 'no'
  return [
    {
      name: 'login',
      field: 'login',
      label: named ? 'E-mail address or username' : 'E-mail address',
      kind: named ? 'text' : 'email',
      autocomplete: 'username',
      required: true,
    },
    {
      name: 'password',
      field: 'password',
      label: 'Password',
      kind: 'password',
      autocomplete: 'current-password',
      required: true,
    },
  ]
}

const onlyWhen = (taken: Taken, each: Omit<Control, 'required'>): readonly Control[] =>
  taken === 'no' ? [] : [{ ...each, required: taken === 'required' }]

function signUpControls({ signUp }: Traits, policy: PasswordPolicy): readonly Control[] {
  const { username, name } = signUp ?? { username: 'no', name: 'no' }
  return [
    ...onlyWhen(name, {
      name: 'name',
      field: 'name',
      label: 'Full name',
      kind: 'text',
      autocomplete: 'name',
    }),
    {
      name: 'email',
      field: 'email',
      label: 'E-mail address',
      kind: 'email',
      // Where there is no other, it is what a password manager keeps the password for.
      autocomplete: username === 'no' ? 'username' : 'email',
      required: true,
    },
    ...onlyWhen(username, {
      name: 'username',
      field: 'username',
      label: 'Username',
      kind: 'text',
      autocomplete: 'username',
    }),
    {
      name: 'password',
      field: 'password',
      label: 'Password',
      kind: 'password',
      autocomplete: 'new-password',
      required: true,
      hint: sayPasswordRules(policy),
    },
  ]
}

export function openEntering(stage: Stage, traits: Traits, policy: PasswordPolicy): Entering {
  const signIn = signInControls(traits)
  const signUp = signUpControls(traits, policy)

  /** What is taken, at its field where the dialect says so much; else as little as the dialect says. */
  function wrongsOfSignUp(seen: Seen, refusal: NamedRefusal): Wrongs {
    const field = { email_taken: 'email', username_taken: 'username' }[String(refusal.refused)]
    if (field === undefined) return wrongsOf(refusal, signUp)
    const instead = html` If you have one, ${other(stage, seen, '/sign-in', 'sign in')}.`
    if (!traits.saysWhatIsTaken) {
      return { ...nothingWrong, whole: html`<p>No account can be made of this.${instead}</p>` }
    }
    const wrongs = wrongAt(field, sayRefusal(refusal))
    return field === 'email'
      ? { ...wrongs, whole: html`<p>You may have an account already.${instead}</p>` }
      : wrongs
  }

  return {
    showSignIn(seen, refusal) {
      const aside = traits.signUp && html`New here? ${other(stage, seen, '/sign-up', 'Make an account')}`
      const form = { title: 'Sign in', path: '/sign-in', controls: signIn, button: 'Sign in', aside } as const
      return showForm(stage, seen, form, refusal ? wrongsOf(refusal, signIn) : nothingWrong)
    },
    showSignUp(seen, refusal) {
      const aside = html`Already have one? ${other(stage, seen, '/sign-in', 'Sign in')}`
      const form = {
        title: 'Make an account',
        path: '/sign-up',
        controls: signUp,
        button: 'Make my account',
        aside,
      } as const
      return showForm(stage, seen, form, refusal ? wrongsOfSignUp(seen, refusal) : nothingWrong)
    },
  }
}

// The form that lets people in: sign in, or make an account. What is wrong stands beside the field it is about.
import { RuskError } from '@rusk/client'
import { client } from './client.ts'
import { elementOf, sentenceOf, tell } from './page.ts'

const fields = ['username', 'email', 'password']

export function openEntry(): HTMLFormElement {
  const form = elementOf<HTMLFormElement>('entry')
  const [title, send] = [form.querySelector('h1'), form.querySelector('button')]
  let isNew = false

  const turn = (next: boolean) => {
    isNew = next
    const words = isNew ? 'Make an account' : 'Sign in'
    if (title && send) title.textContent = send.textContent = words
    elementOf('other').textContent = isNew ? 'I have an account already' : 'I am new here'
    elementOf('address').hidden = !isNew
    elementOf('password').setAttribute('autocomplete', isNew ? 'new-password' : 'current-password')
  }

  const mark = (error?: unknown) => {
    const issues = error instanceof RuskError ? error.issues : []
    tell(error === undefined || issues.length > 0 ? undefined : sentenceOf(error))
    for (const field of fields) {
      const issue = issues.find(each => each.field === field)
      elementOf(field).setAttribute('aria-invalid', String(issue !== undefined))
      elementOf(`${field}-wrong`).textContent = issue?.message ?? ''
    }
    form.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
  }

  const enter = async (): Promise<void> => {
    const given = new FormData(form)
    const [username, email, password] = fields.map(field => String(given.get(field)))
    if (username === undefined || email === undefined || password === undefined) return
    if (isNew) await client.signUp({ username, email, password })
    else await client.signIn({ login: username, password })
    form.reset()
    turn(false)
  }

  elementOf('other').addEventListener('click', () => turn(!isNew))
  form.addEventListener('submit', event => {
    event.preventDefault()
    mark()
    enter().catch(mark)
  })
  return form
}

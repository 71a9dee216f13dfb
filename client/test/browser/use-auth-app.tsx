// A front end as people write it for a FastAPI back end: React, fetch and a hook, nothing of ours. It stays as it is: what it
// asks and what it reads is the contract.
import { StrictMode, type SubmitEvent, useCallback, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'

const API_URL = new URLSearchParams(location.search).get('api') ?? 'http://localhost:8000'

type User = { id: number; email: string; full_name: string | null }

function useAuth() {
  const [user, setUser] = useState<User | null>(null)
  const [loading, setLoading] = useState(true)

  const checkAuth = useCallback(async () => {
    try {
      const response = await fetch(`${API_URL}/api/auth/me`, { credentials: 'include' })
      setUser(response.ok ? await response.json() : null)
    } catch (error) {
      console.error('Auth check failed:', error)
      setUser(null)
    } finally {
      setLoading(false)
    }
  }, [])

  useEffect(() => {
    checkAuth()
  }, [checkAuth])

  const login = async (email: string, password: string) => {
    const response = await fetch(`${API_URL}/api/auth/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      credentials: 'include',
      body: JSON.stringify({ email, password }),
    })
    if (!response.ok) {
      const error = await response.json()
      throw new Error(error.detail || 'Login failed')
    }
    await checkAuth()
  }

  const logout = async () => {
    await fetch(`${API_URL}/api/auth/logout`, { method: 'POST', credentials: 'include' })
    setUser(null)
  }

  return { user, loading, login, logout }
}

function App() {
  const { user, loading, login, logout } = useAuth()
  const [error, setError] = useState('')

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    setError('')
    const fields = new FormData(event.currentTarget)
    try {
      await login(String(fields.get('email')), String(fields.get('password')))
    } catch (thrown) {
      setError(thrown instanceof Error ? thrown.message : String(thrown))
    }
  }

  if (loading) return <output>Loading…</output>
  if (user) {
    return (
      <>
        <output>
          Welcome, {user.full_name} ({user.email})
        </output>
        <button type="button" onClick={logout}>
          Log out
        </button>
      </>
    )
  }
  return (
    <form onSubmit={submit}>
      <output>Please log in</output>
      <input name="email" type="email" aria-label="Email" />
      <input name="password" type="password" aria-label="Password" />
      {error && <p role="alert">{error}</p>}
      <button type="submit">Log in</button>
    </form>
  )
}

const root = document.getElementById('root')
if (!root) throw new Error('This page has no root')
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)

"""The `fiscal` command. It imports no other part: it runs them as processes of their own."""

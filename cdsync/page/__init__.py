"""The status page: what a person in a browser sees of an account. Values in, HTML out.

The contract of the package:

- It knows no server, clock, file or database: a `Snapshot` holds all that a page may show, and the same values give the
  same page.
- Every value is escaped, whoever wrote it. There is no script, no inline style, and nothing from another host.
- What is sensitive is hidden by its field, and nothing else is.
- A page is of bounded size, however large the account is: long lists are cut into pages.
"""

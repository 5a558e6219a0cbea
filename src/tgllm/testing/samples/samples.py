"""Questions that the chat page of the demo suggests, and the answers to them that were written beforehand."""

from dataclasses import dataclass
from importlib.resources import files

from tgllm.testing.emulator.state.suggestions import Suggestion

__all__ = ["LABEL", "SAMPLES", "STORY", "Sample"]

LABEL = "_Written beforehand, to show what an answer looks like._\n\n"
"""Beginning of every answer that no model has written."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A suggestion and its answer in Markdown."""

    suggestion: Suggestion
    answer: str


_TABLE = """
| a cup of | caffeine | goes with |
| :--- | ---: | --- |
| ☕ coffee | 95 mg | mornings |
| 🍵 green tea | 28 mg | long talks |
| 🍫 cocoa | 7 mg | rain |

**In short:** coffee wakes you up, tea keeps you going, and cocoa lets you sleep.
"""

_CODE = '''
Halve the range until the number is found:

```python
def find(numbers: list[int], wanted: int) -> int | None:
    """Return the position of a number in a sorted list."""
    low, high = 0, len(numbers) - 1
    while low <= high:
        middle = (low + high) // 2
        if numbers[middle] == wanted:
            return middle
        if numbers[middle] < wanted:
            low = middle + 1
        else:
            high = middle - 1
    return None
```

1. It needs at most 20 steps for a *million* numbers.
2. The list must be sorted; otherwise call `sorted(numbers)` first.
'''

_FORMULA = r"""
The **normal distribution** is the bell curve of many small influences:

$$f(x) = \frac{1}{\sigma\sqrt{2\pi}} \, e^{-\frac{(x-\mu)^2}{2\sigma^2}}$$

- $\mu$ is the mean, and $\sigma$ the standard deviation;
- about 68 % of all values lie within $\mu \pm \sigma$, and 95 % within $\mu \pm 2\sigma$.

> With $\mu = 0$ and $\sigma = 1$ it is the *standard* normal distribution.
"""

_STORY = " ".join(
    f"On night {night} the keeper climbed the {steps} steps, lit the lamp, and counted {ships} ships between the rocks."
    for night, steps, ships in zip(range(1, 61), range(199, 139, -1), [7, 3, 9, 4, 12, 5] * 10, strict=True)
)

_PICTURE = """
1. **The Last Light**
2. *Sunset at the Striped Tower*
3. "Somebody Is Still Awake"

A model that sees pictures gets the picture itself; documents are read and become part of the question.
"""

_PICTURE_FILE = files("tgllm.testing.samples").joinpath("picture.png").read_bytes()

STORY = Sample(Suggestion("⏹ A long story, to stop", "Write a story about the keeper of a lighthouse."), _STORY)
"""The suggestion that a model answers itself, if there is one."""

SAMPLES: tuple[Sample, ...] = (
    Sample(Suggestion("📊 A table", "Compare coffee, tea and cocoa in a table"), _TABLE),
    Sample(Suggestion("💻 Code", "Write a binary search in Python"), _CODE),
    Sample(Suggestion("∑ A formula", "What is the normal distribution?"), _FORMULA),
    STORY,
    Sample(Suggestion("🖼 A picture", "Find three titles for this picture of a lighthouse", _PICTURE_FILE), _PICTURE),
)
"""In the order of the page."""

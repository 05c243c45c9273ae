//! Counts and measurements of one name, and how their words lie one behind the other. What they mean is
//! for the catalogue to say.

/// A label and all values it can have.
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// Its values.
    pub words: &'static [&'static str],
}

/// Counts of one name: a word for each choice of values.
pub struct Family {
    /// Its name without the prefix.
    pub name: &'static str,
    /// What it means, for people.
    pub help: &'static str,
    /// What tells its counts apart.
    pub labels: &'static [Label],
    /// The place of its first word.
    pub start: usize,
}

/// Measurements of one name: for each choice of values a word for each bound, one for what is longer,
/// and one for the sum in microseconds.
pub struct Measured {
    /// Its name, labels and first word.
    pub family: Family,
    /// Microseconds, ascending.
    pub bounds: &'static [u64],
}

impl Family {
    /// A family whose first word is at `start`.
    pub const fn new(
        start: usize,
        name: &'static str,
        help: &'static str,
        labels: &'static [Label],
    ) -> Self {
        Family {
            name,
            help,
            labels,
            start,
        }
    }

    /// How many choices of values there are.
    pub const fn len(&self) -> usize {
        let (mut product, mut at) = (1, 0);
        while at < self.labels.len() {
            product *= self.labels[at].words.len();
            at += 1;
        }
        product
    }

    /// The place behind its last word.
    pub const fn end(&self) -> usize {
        self.start + self.len()
    }

    /// The place of the choice with these values, one for each label.
    pub fn place(&self, values: &[usize]) -> usize {
        debug_assert_eq!(values.len(), self.labels.len());
        let choices = self.labels.iter().zip(values);
        self.start + choices.fold(0, |place, (label, value)| place * label.words.len() + value)
    }

    /// Name and value of each label of the choice number `number`.
    pub fn choice(&self, number: usize) -> Vec<(&'static str, &'static str)> {
        let mut rest = number;
        let mut choice: Vec<_> = self
            .labels
            .iter()
            .rev()
            .map(|label| {
                let word = label.words[rest % label.words.len()];
                rest /= label.words.len();
                (label.name, word)
            })
            .collect();
        choice.reverse();
        choice
    }
}

impl Measured {
    /// Words of one choice of values.
    pub const fn words(&self) -> usize {
        self.bounds.len() + 2
    }

    /// The place behind its last word.
    pub const fn end(&self) -> usize {
        self.family.start + self.family.len() * self.words()
    }
}

/// A label with that name and these values.
pub const fn label(name: &'static str, words: &'static [&'static str]) -> Label {
    Label { name, words }
}

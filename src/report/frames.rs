//! Frames: the tables as polars data frames, and the summaries that polars adds up.
//!
//! Nothing here runs, and polars starts no thread, unless `--tables` asks for it.

use super::escape;
use super::rows::{Cells, Table};
use polars::prelude::{Column, DataFrame, NamedFrom, PolarsResult, Series, SortMultipleOptions};

/// A table as a frame, its text raw.
pub fn frame(table: &Table) -> PolarsResult<DataFrame> {
    of(table, |text| text.to_owned())
}

/// A table as a frame for CSV: its text harmless to spreadsheets.
pub fn csv_frame(table: &Table) -> PolarsResult<DataFrame> {
    of(table, |text| escape::csv_text(text).into_owned())
}

fn of(table: &Table, text: impl Fn(&str) -> String) -> PolarsResult<DataFrame> {
    let column = |column: &super::rows::Column| -> Column {
        let name = column.name.into();
        match &column.cells {
            Cells::Text(cells) => {
                let cells: Vec<Option<String>> = cells.iter().map(|cell| cell.as_deref().map(&text)).collect();
                Series::new(name, cells).into()
            }
            Cells::Count(cells) => Series::new(name, cells).into(),
            Cells::Share(cells) => Series::new(name, cells).into(),
        }
    };
    DataFrame::new(table.rows(), table.columns.iter().map(column).collect())
}

/// The mail of each client by verdict, from the frame of the flows: server, client, verdict,
/// messages, recipients, bytes; most recipients first. Rows without a verdict are left out, so that
/// nothing is counted twice.
pub fn volume(flows: &DataFrame) -> PolarsResult<DataFrame> {
    let judged = flows.column("verdict")?.is_not_null();
    let keys = ["server", "client", "verdict"];
    let figures = ["messages", "recipients", "bytes"];
    let groups = flows.filter(&judged)?;
    // Lazy frames, which polars would rather have us use, bring an HTTP and TLS stack.
    #[expect(deprecated, reason = "the eager sum is the only one without the feature `lazy`")]
    let mut sums = groups.group_by_stable(keys)?.select(figures).sum()?;
    sums.set_column_names(&[keys, figures].concat())?;
    let order = SortMultipleOptions::default().with_order_descending_multi([true, false, false, false]);
    sums.sort(["recipients", "server", "client", "verdict"], order)
}

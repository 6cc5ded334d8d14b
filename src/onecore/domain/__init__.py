"""What the two worlds mean: ids, money, documents, chart. Pure, standard library only."""
